import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreUnavailableError } from '../../src/app/errors.ts'
import type { MessagePage } from '../../src/app/model/message.ts'
import { askReady } from '../support/ask-until.ts'
import { openServer, type TestServer } from '../support/http-server.ts'

type Answer = { readonly statusCode: number; readonly body: string }

async function ready({ app }: TestServer) {
  return parsed(await app.inject('/health/ready'))
}

/** The same where the database works, however long it takes to say so. */
async function readyInTheEnd({ app }: TestServer) {
  return parsed(await askReady(() => app.inject('/health/ready')))
}

function parsed({ statusCode, body }: Answer) {
  return { statusCode, body: JSON.parse(body) as unknown }
}

const full = () => new StoreUnavailableError('The disk has no room.')

const notReady = (database: string, webhook_secret: string) => ({
  statusCode: 503,
  body: { status: 'not ready', checks: { database, webhook_secret } },
})

test('a service with a secret and a database that commits is live and ready', async (t) => {
  const server = await openServer(t)
  const live = await server.app.inject('/health/live')
  assert.equal(live.statusCode, 200)
  assert.equal(live.body, '{"status":"ok"}')
  const answer = await askReady(() => server.app.inject('/health/ready'))
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.body, '{"status":"ok","checks":{"database":"ok","webhook_secret":"ok"}}')
})

test('without a secret it is live and not ready', async (t) => {
  const server = await openServer(t, { environment: { WEBHOOK_SECRET: '' } })
  assert.deepEqual(await readyInTheEnd(server), notReady('ok', 'not configured'))
  assert.equal((await server.app.inject('/health/live')).statusCode, 200)
})

test('with a database that fails it is live and not ready, and ready again once it recovers', async (t) => {
  let fails = true
  const server = await openServer(t, {
    store: (real) => ({
      probe: () => (fails ? Promise.reject(new Error('disk I/O error')) : real.probe()),
    }),
  })
  assert.deepEqual(await ready(server), notReady('failed', 'ok'))
  assert.equal((await server.app.inject('/health/live')).body, '{"status":"ok"}')
  fails = false
  assert.equal((await readyInTheEnd(server)).statusCode, 200)
})

test('the log says when it ceased to be ready, why, and when it was again, once each', async (t) => {
  let fails = true
  const server = await openServer(t, {
    store: (real) => ({
      probe: () => (fails ? Promise.reject(full()) : real.probe()),
    }),
  })
  await ready(server)
  await ready(server)
  const ceased = server.log.where({
    msg: 'not ready: the database takes no messages now',
    level: 'warn',
  })
  assert.equal(ceased.length, 1)
  const { err } = ceased[0] as { err?: { reason?: string } }
  assert.equal(err?.reason, 'The disk has no room.')
  fails = false
  await readyInTheEnd(server)
  await readyInTheEnd(server)
  assert.equal(server.log.where({ msg: 'ready again', level: 'info' }).length, 1)
})

test('with neither, both are named', async (t) => {
  const server = await openServer(t, {
    environment: { WEBHOOK_SECRET: ',' },
    store: () => ({ probe: () => Promise.reject(new Error('disk I/O error')) }),
  })
  assert.deepEqual(await ready(server), notReady('failed', 'not configured'))
})

test('a writer that does not answer within a second counts as failed', async (t) => {
  let asked = false
  const server = await openServer(t, {
    store: () => ({
      probe: () => {
        asked = true
        return new Promise<void>(() => {})
      },
    }),
  })
  await server.app.ready()
  // Only from here on, so that nothing else waits for a clock that stands still.
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const answer = ready(server)
  while (!asked) await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(1000)
  assert.deepEqual(await answer, notReady('failed', 'ok'))
  t.mock.timers.reset()
})

test('a query that hangs does not hold the probe up', async (t) => {
  const gate = Promise.withResolvers<MessagePage>()
  const server = await openServer(t, { store: () => ({ page: () => gate.promise }) })
  const query = server.get('/messages?q=slow')
  assert.equal((await readyInTheEnd(server)).statusCode, 200)
  gate.resolve({ messages: [], total: 0, next: null })
  assert.equal((await query).statusCode, 200)
})
