// Faults of a PostgreSQL server and of the way to it, while messages arrive.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { digestOf } from '../../src/app/store/body.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { isReady, post, type Service, untilReady } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { postgresAnomalies } from './postgres-checker.ts'
import { acknowledged, RESTARTS, startServer } from './postgres-faults.ts'
import { isFoundReady } from './readiness.ts'
import { Sender } from './sender.ts'
import { newSettingFor, type Sabotage, seedOf } from './setting.ts'

/** Of a request, whatever the fault; the service allows itself less than half of it. */
const ANSWERED_WITHIN_MS = 12_000

async function send(service: Service, id: string): Promise<Response> {
  const body = toBytes(flatBody({ message_id: id }))
  return post(service, body, signature(body))
}

type Fault = (server: PostgresServer, round: number) => Promise<void>

/** A fault again and again under load; resolves with what the checker found. */
async function underLoad(t: TestContext, rounds: number, fault: Fault, sabotage?: Sabotage) {
  const server = await startServer(t)
  const url = await server.newDatabase()
  const service = await newSettingFor(url, t, sabotage).start()
  const sender = new Sender({ seed: seedOf(t) })
  let done = false
  const sending = sender.sendUntil(service.url, () => done)
  for (let round = 0; round < rounds; round++) {
    await acknowledged(sender)
    await fault(server, round)
    await until('the service is ready again', () => isReady(service))
  }
  done = true
  await sending
  t.diagnostic(`${sender.acknowledged} acknowledged of ${sender.sent.size}, ${rounds} faults`)
  await service.stop()
  return { found: await postgresAnomalies(url, sender.sent), sender }
}

const crash: Fault = async (server) => {
  await server.kill()
  await server.start()
}

test(`PostgreSQL killed and restarted ${RESTARTS} times under load: nothing acknowledged is lost or doubled`, {
  timeout: 3_600_000,
}, async (t) => {
  const { found, sender } = await underLoad(t, RESTARTS, crash)
  assert.deepEqual(found, [])
  assert.ok([...sender.statuses.keys()].every((status) => [200, 503].includes(status)))
})

test('the twin that takes a failed commit for a good one is caught', async (t) => {
  const longOutage: Fault = async (server) => {
    await server.kill()
    // Longer than two batches are sent again, one after the other: the first one may be of a single
    // message, and that one may come once more later.
    await sleep(8000)
    await server.start()
  }
  const { found } = await underLoad(t, 1, longOutage, 'ignored failure')
  assertLossCaught(found)
})

test(`PostgreSQL restarted in order ${RESTARTS} times under load: nothing is lost, and it heals by itself`, {
  timeout: 3_600_000,
}, async (t) => {
  const { found } = await underLoad(t, RESTARTS, async (server) => {
    await server.stop()
    await server.start()
  })
  assert.deepEqual(found, [])
})

test(`a backend killed ${RESTARTS} times under load: nothing is lost or doubled`, {
  timeout: 3_600_000,
}, async (t) => {
  const { found } = await underLoad(t, RESTARTS, async (server) => {
    const [backend] = await server.query<{ pid: number }>(
      `select pid from pg_stat_activity
       where application_name = 'whatsapp-webhook-service' and query like '%ingest_1%'`,
    )
    assert.ok(backend, 'a backend stores')
    process.kill(backend.pid, 'SIGKILL')
    await until('it is gone', () => !isRunning(backend.pid))
    await until('the server has recovered', () => server.answers())
  })
  assert.deepEqual(found, [])
})

test('a server that refuses connections at the start is waited for: live, not ready, nothing taken', async (t) => {
  const server = await PostgresServer.create()
  t.after(() => server.remove())
  const service = await newSettingFor(server.url('postgres'), t).start()
  assert.equal((await fetch(`${service.url}/health/live`)).status, 200)
  assert.equal(await isReady(service), false)
  const refused = await send(service, 'too-early')
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.equal((await fetch(`${service.url}/messages`)).status, 503)
  await server.start()
  await untilReady(service)
  assert.equal((await send(service, 'in-time')).status, 200)
  assert.doesNotMatch(service.stdout, /a-test-password/)
})

test('a server whose connections are all taken: 503, and as soon as some are free all is well', async (t) => {
  const server = await startServer(t, {
    settings: ['max_connections=12', 'superuser_reserved_connections=0', 'reserved_connections=0'],
  })
  const url = await server.newDatabase()
  const service = await newSettingFor(url, t).start({ DATABASE_POOL_SIZE: '3' })
  assert.equal((await send(service, 'before')).status, 200)
  await server.disconnectService()
  const others: Client[] = []
  for (let taken = false; !taken; ) {
    const client = new Client({ connectionString: url })
    client.on('error', () => {})
    taken = await client.connect().then(
      () => others.push(client) > 100,
      () => true,
    )
  }
  const refused = await send(service, 'during')
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.equal(await isReady(service), false)
  for (const client of others) await client.end()
  await untilReady(service)
  assert.equal((await send(service, 'during')).status, 200)
  const sent = new Map(
    ['before', 'during'].map((id) => {
      const sha256 = sha256Of(id)
      return [id, { sha256, verdict: 'ok' as const }]
    }),
  )
  assert.deepEqual(await postgresAnomalies(url, sent), [])
})

test('a server that does not answer any more: every request gets its answer, readiness tells, the queue sheds', {
  timeout: 120_000,
}, async (t) => {
  const server = await startServer(t)
  const url = await server.newDatabase()
  const link = await TcpProxy.start(t, server.port)
  const service = await newSettingFor(link.urlFor(url), t).start({ QUEUE_MAX_REQUESTS: '8' })
  const sender = new Sender({ seed: seedOf(t) })
  assert.equal(await sender.sendOne(service.url), 200)
  link.freeze()
  const refused = 16
  const told: string[] = []
  const answers = Array.from({ length: refused + 8 }, async (_, i) => {
    const id = `frozen-${i}`
    sender.sent.set(id, { sha256: sha256Of(id), verdict: 'unknown' })
    const start = performance.now()
    const answer = await send(service, id)
    told.push(await answer.text())
    return { status: answer.status, isInTime: performance.now() - start < ANSWERED_WITHIN_MS }
  })
  await until('what finds no room is told so', () => told.length >= refused)
  assert.equal((await fetch(`${service.url}/health/live`)).status, 200)
  const statuses = await Promise.all(answers)
  const foundNoRoom = told.map((text) => text.includes('Too many messages are waiting'))
  const inThisOrder = Array.from(told, (_, i) => i < refused)
  assert.deepEqual(foundNoRoom, inThisOrder, 'the rest waited for its commit')
  assert.deepEqual(new Set(statuses.map(({ status }) => status)), new Set([503]))
  assert.ok(statuses.every(({ isInTime }) => isInTime))
  assert.equal(await isReady(service), false)
  assert.equal((await fetch(`${service.url}/health/live`)).status, 200)
  link.thaw()
  await untilReady(service)
  await until('it stores again', async () => (await sender.sendOne(service.url)) === 200)
  await service.stop()
  assert.deepEqual(await postgresAnomalies(url, sender.sent), [])
})

test('a slow server is waited for: all that fits is stored, the rest is refused, readiness is right', async (t) => {
  const server = await startServer(t)
  const url = await server.newDatabase()
  const link = await TcpProxy.start(t, server.port)
  const service = await newSettingFor(link.urlFor(url), t).start({ QUEUE_MAX_REQUESTS: '8' })
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  link.slowDown(400)
  // However late the last of them arrives, nothing is stored before: until then it is slower still.
  link.freeze()
  const refused: number[] = []
  const waiting = Array.from({ length: 24 }, async () => {
    const status = await sender.sendOne(service.url)
    if (status === 503) refused.push(status)
    return status
  })
  await until('what finds no room is told before anything is stored', () => refused.length >= 16)
  assert.equal(await isFoundReady(service), true, 'it stores, however slowly')
  link.thaw()
  const statuses = await Promise.all(waiting)
  assert.equal(statuses.filter((status) => status === 200).length, 8)
  assert.equal(statuses.filter((status) => status === 503).length, 16)
  link.slowDown(0)
  await untilReady(service)
  assert.deepEqual(await postgresAnomalies(url, sender.sent), [])
})

test('a backend stopped in mid-transaction: others go on, and what it did is there once', async (t) => {
  const server = await startServer(t)
  const url = await server.newDatabase()
  const service = await newSettingFor(url, t).start()
  const sender = new Sender({ seed: seedOf(t) })
  const holder = new Client({ connectionString: url })
  await holder.connect()
  await holder.query('begin; select pg_advisory_xact_lock(storing_lock_1())')
  const stopped = sender.sendOne(service.url)
  let pid = 0
  await until('a batch is in mid-transaction', async () => {
    const [row] = await server.query<{ pid: number }>(
      `select pid from pg_stat_activity where query like '%ingest_1%' and wait_event = 'advisory'`,
    )
    pid = row?.pid ?? 0
    return pid !== 0
  })
  process.kill(pid, 'SIGSTOP')
  t.after(() => {
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // It has ended.
    }
  })
  await holder.end()
  assert.equal(await stopped, 503)
  for (let i = 0; i < 20; i++) await sender.sendOne(service.url)
  assert.ok(sender.acknowledged > 10)
  process.kill(pid, 'SIGCONT')
  await until('its transaction has ended', async () => {
    const rows = await server.query(`select 1 from pg_stat_activity where pid = ${pid}`)
    return rows.length === 0
  })
  assert.deepEqual(await postgresAnomalies(url, sender.sent), [])
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function sha256Of(id: string): string {
  return digestOf(toBytes(flatBody({ message_id: id }))).toString('hex')
}
