import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { AppError, StoreFailedError, StoreUnavailableError } from '../../src/app/errors.ts'
import { openServer, type TestServer } from '../support/http-server.ts'
import { RawConnection } from '../support/raw-http.ts'
import { CANARY, flatBody, SECRET } from '../support/signed.ts'
import { until } from '../support/until.ts'

/** An error whose every part quotes what must not be told. */
function tellTale(): Error {
  const cause = new Error(`cause: ${CANARY.text} ${SECRET}`)
  return Object.assign(new Error(`${CANARY.text} from ${CANARY.from}`, { cause }), {
    detail: CANARY.text,
    statusCode: 418,
  })
}

const linesOf = (server: TestServer, { headers }: { headers: Record<string, unknown> }) =>
  server.log.where({ request_id: headers['x-request-id'] })

test('an unknown path is 404, whatever the method', async (t) => {
  const server = await openServer(t)
  const paths = [
    '/',
    '/nowhere',
    '/webhook/',
    '/WEBHOOK',
    '/messages/a/b',
    '/health',
    '/docs/',
    '/.env',
  ]
  for (const url of [...paths, '/docs/../.env', '/docs/%2e%2e/.env', '/redoc/x', '//stats']) {
    for (const method of ['GET', 'POST', 'DELETE', 'PROPFIND', 'QUERY'] as const) {
      const answer = await server.app.inject({ method: method as 'GET', url })
      assert.equal(answer.statusCode, 404, `${method} ${url}`)
      assert.equal(answer.body, '{"detail":"Not Found"}')
    }
  }
})

test('another method is 405 and names those there are', async (t) => {
  const server = await openServer(t)
  const allowed: Readonly<Record<string, string>> = {
    '/webhook': 'POST, GET, HEAD',
    '/messages': 'GET, HEAD',
    '/messages/x': 'GET, HEAD',
    '/stats': 'GET, HEAD',
    '/health/live': 'GET, HEAD',
    '/metrics': 'GET, HEAD',
    '/docs': 'GET, HEAD',
  }
  for (const [url, allow] of Object.entries(allowed)) {
    for (const method of METHODS) {
      if (method === 'CONNECT' || allow.split(', ').includes(method)) continue
      const answer = await server.app.inject({ method: method as 'GET', url, payload: '{}' })
      assert.equal(answer.statusCode, 405, `${method} ${url}`)
      assert.equal(answer.headers['allow'], allow)
      assert.equal(answer.body, '{"detail":"Method Not Allowed"}')
    }
  }
})

test('a header does not override the method', async (t) => {
  const server = await openServer(t)
  const headers = {
    'x-http-method-override': 'GET',
    'x-method-override': 'GET',
    'x-http-method': 'GET',
  }
  const answer = await server.app.inject({ method: 'POST', url: '/messages', headers })
  assert.equal(answer.statusCode, 405)
})

test('a fault nobody foresaw is 500 without a word of it, and is logged by kind and place', async (t) => {
  const server = await openServer(t, {
    store: () => ({
      stats: () => Promise.reject(tellTale()),
      find: () => {
        throw tellTale()
      },
      insert: () => Promise.reject(tellTale()),
    }),
  })
  const hidden = { config: { access: 'public' as const }, schema: { hide: true } }
  server.app.get('/broken', hidden, async () => {
    throw tellTale()
  })
  server.app.get('/odd', hidden, async () => {
    throw CANARY.text
  })
  const answers = [
    await server.get('/stats'),
    await server.get('/messages/x'),
    await server.post(flatBody()),
    await server.get('/broken'),
    await server.get('/odd'),
  ]
  for (const answer of answers) {
    assert.equal(answer.statusCode, 500)
    assert.equal(answer.body, '{"detail":"Internal Server Error"}')
    const lines = linesOf(server, answer)
    assert.equal(lines.length, 2)
    assert.ok(lines.every(({ level }) => level === 'error'))
    assert.ok(lines.some(({ err }) => typeof err === 'object'))
  }
  const [line] = linesOf(server, answers[0] as (typeof answers)[0])
  const { type, stack, cause } = (line?.['err'] ?? {}) as Record<string, unknown>
  assert.equal(type, 'Error')
  assert.ok(Array.isArray(stack) && stack.some((frame) => String(frame).includes('errors.test.ts')))
  assert.ok(cause)
})

test('a database that can not be read is 503 with Retry-After and its own sentence', async (t) => {
  const errors = ['reads_overloaded', 'reads_unavailable'] as const
  for (const code of errors) {
    const error = new AppError(code, { cause: tellTale() })
    const server = await openServer(t, {
      store: () => ({
        page: () => Promise.reject(error),
        find: () => Promise.reject(error),
        stats: () => Promise.reject(error),
      }),
    })
    for (const url of ['/messages', '/messages?q=x', '/messages/x', '/stats']) {
      const answer = await server.get(url)
      assert.equal(answer.statusCode, 503)
      assert.equal(answer.headers['retry-after'], '5')
      assert.equal(answer.body, JSON.stringify({ detail: error.detail }))
    }
  }
})

test('a store that fails tells its reason to the log, and to nobody else', async (t) => {
  for (const Failure of [StoreUnavailableError, StoreFailedError]) {
    const error = new Failure('SQLite answered 10.', { cause: tellTale() })
    const server = await openServer(t, { store: () => ({ insert: () => Promise.reject(error) }) })
    const answer = await server.post(flatBody())
    assert.equal(answer.statusCode, 503)
    assert.equal(answer.headers['retry-after'], '5')
    assert.doesNotMatch(answer.body, /SQLite/)
    const [line] = linesOf(server, answer).filter(({ err }) => err !== undefined)
    const err = line?.['err'] as { type: string; reason: string } | undefined
    assert.equal(err?.type, error.name)
    assert.equal(err?.reason, 'SQLite answered 10.')
  }
})

test('while the database is away the log says why once, and not with every request', async (t) => {
  const cause = new StoreUnavailableError('PostgreSQL could not be reached.')
  const server = await openServer(t, {
    environment: { READ_ACCESS: 'open' },
    store: () => ({
      stats: () => Promise.reject(new AppError('reads_unavailable', { cause })),
      insert: () => Promise.reject(cause),
      eventsAfter: () => Promise.reject(new AppError('reads_overloaded')),
    }),
  })
  for (let i = 0; i < 20; i++) {
    assert.equal((await server.get('/stats')).statusCode, 503)
    assert.equal((await server.get('/events')).statusCode, 503)
    assert.equal((await server.post(flatBody())).statusCode, 503)
  }
  for (const msg of ['reads_unavailable', 'store_unavailable']) {
    const lines = server.log.where({ msg })
    assert.equal(lines.length, 1)
    assert.equal(typeof lines[0]?.['request_id'], 'string')
  }
  assert.equal(server.log.where({ msg: 'reads_overloaded' }).length, 0)
})

/** A server on which a look for a message waits for `gate`. */
async function serverThatWaits(t: TestContext, environment: Record<string, string> = {}) {
  const gate = Promise.withResolvers<null>()
  let asked = false
  const server = await openServer(t, {
    store: () => ({
      find: () => {
        asked = true
        return gate.promise
      },
    }),
    environment,
  })
  return { server, gate, isAsked: () => asked }
}

for (const path of ['/stats', '/webhook', '/health/live', '/health/ready'])
  test(`a request of ${path} that arrives while the server closes is 503, and told so`, async (t) => {
    const { server, gate, isAsked } = await serverThatWaits(t, { READ_ACCESS: 'open' })
    const port = await server.listen()
    const sockets: Socket[] = []
    server.app.server.on('connection', (socket: Socket) => sockets.push(socket))
    const busy = new RawConnection(port)
    busy.send('GET /messages/x HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until('the request is in flight', isAsked)
    const late = new RawConnection(port)
    late.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n`)
    await until('its beginning has arrived', () => (sockets[1]?.bytesRead ?? 0) > 0)
    const closed = server.app.close()
    late.send('\r\n')
    const { status, headers, body } = await late.answer()
    assert.deepEqual([status, headers['retry-after'], headers['connection']], [503, '5', 'close'])
    assert.equal(body, JSON.stringify({ detail: new AppError('shutting_down').detail }))
    gate.resolve(null)
    assert.equal((await busy.answer()).status, 404)
    await closed
  })

test('while the server closes, what is in flight is answered, and idle connections are closed', async (t) => {
  const { server, gate, isAsked } = await serverThatWaits(t)
  const port = await server.listen()
  const idle = new RawConnection(port)
  idle.send('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await idle.answer()
  const busy = new RawConnection(port)
  const key = `Authorization: Bearer ${server.config.apiKeys[0]?.key}`
  busy.send(`GET /messages/x HTTP/1.1\r\nHost: localhost\r\n${key}\r\n\r\n`)
  await until('the request is in flight', isAsked)
  const closed = server.app.close()
  await idle.closed
  gate.resolve(null)
  const answer = await busy.answer()
  assert.equal(answer.status, 404)
  assert.equal(answer.headers['connection'], 'close')
  await closed
  await busy.closed
})
