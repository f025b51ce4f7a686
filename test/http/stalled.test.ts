// Connections on which nothing moves: whoever waits for the service is answered, and who keeps it
// waiting is cut off.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { newDatabase } from '../support/databases.ts'
import { API_KEY, openServer } from '../support/http-server.ts'
import { connectionFor } from '../support/raw-http.ts'
import { flatBody, signature } from '../support/signed.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'
import { holdWriteLock } from '../support/write-lock.ts'

/** Less than either store waits for what holds it up, in ms. */
const STALLED_MS = 500
/** More than the system itself holds for a reader, in bytes. */
const LARGE = 32 * 1024 * 1024

function webhook(body: string): string {
  return `POST /webhook HTTP/1.1\r\nHost: a\r\nX-Signature: ${signature(body)}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

function query(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${API_KEY}\r\n\r\n`
}

test('a message that is not stored in time is 503, logged and counted, and can be sent again', async (t) => {
  const file = join(temporaryDirectory(t), 'messages.db')
  const environment = { DATABASE_URL: `sqlite:///${file}` }
  const server = await openServer(t, { environment, stalledMs: STALLED_MS })
  const connection = connectionFor(t, await server.listen())
  const message = flatBody()
  const unlock = holdWriteLock(file)
  t.after(unlock)
  connection.send(webhook(JSON.stringify(message)))
  const { status, headers, body } = await connection.answer()
  assert.equal(status, 503)
  assert.equal(headers['retry-after'], '5')
  assert.match(JSON.parse(body).detail, /not stored in time; send it again/)
  unlock()
  const stored = /^webhook_events_total\{kind="message",result="created"\} 1$/m
  await until('it is stored all the same', async () =>
    stored.test((await server.get('/metrics')).body),
  )
  const providers = (await server.get('/providers')).json<{ data: Record<string, unknown>[] }>()
  assert.equal(providers.data[0]?.['last_accepted_at'], null)
  // Without a connection: a disk that is slow for half a second would be one that stalls.
  assert.equal((await server.post(message)).statusCode, 200)
  assert.equal((await server.get('/stats')).json<{ total_messages: number }>().total_messages, 1)
  const [line] = server.log.where({ path: '/webhook', status: 503 })
  assert.equal(line?.['result'], 'rejected')
  const counted = /^http_requests_total\{method="POST",path="\/webhook",status="503"\} 1$/m
  assert.match((await server.get('/metrics')).body, counted)
})

test('a query that is not answered in time is 503, logged and counted', async (t) => {
  const url = await newDatabase()
  const link = await TcpProxy.start(t, Number(new URL(url).port))
  const environment = { DATABASE_URL: link.urlFor(url) }
  const server = await openServer(t, { environment, stalledMs: STALLED_MS })
  const port = await server.listen()
  const paths = ['/messages', '/events/stream?after=1']
  const connections = paths.map(() => connectionFor(t, port))
  link.freeze()
  for (const [i, path] of paths.entries()) connections[i]?.send(query(path))
  for (const connection of connections) {
    const { status, headers, body } = await connection.answer()
    assert.equal(status, 503)
    assert.equal(headers['retry-after'], '5')
    assert.match(JSON.parse(body).detail, /took too long/)
  }
  assert.equal(server.log.where({ path: '/messages', status: 503 }).length, 1)
  const counted = /^http_requests_total\{method="GET",path="\/messages",status="503"\} 1$/m
  assert.match((await server.get('/metrics')).body, counted)
})

test('of requests one behind the other, each is answered in its turn', async (t) => {
  const server = await openServer(t, {
    stalledMs: STALLED_MS,
    store: () => ({ stats: () => new Promise(() => {}) }),
  })
  const connection = connectionFor(t, await server.listen())
  connection.send(query('/stats') + query('/health/live') + query('/stats'))
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await connection.answer()).status)
  assert.deepEqual(statuses, [503, 200, 503])
})

test('a long poll waits for as long as it asked', async (t) => {
  const server = await openServer(t, { stalledMs: 5 * STALLED_MS })
  const connection = connectionFor(t, await server.listen())
  connection.send(query('/events?wait=1'))
  assert.equal((await connection.answer()).status, 200)
})

test('a sender that stops in the middle of its body is cut off', async (t) => {
  const server = await openServer(t, { stalledMs: STALLED_MS })
  const connection = connectionFor(t, await server.listen())
  connection.send(webhook(JSON.stringify(flatBody())).slice(0, -10))
  await connection.closed
  assert.equal(connection.received, '')
})

test('a reader that takes nothing of its answer is cut off', async (t) => {
  const server = await openServer(t, { stalledMs: STALLED_MS })
  const body = Buffer.alloc(LARGE)
  server.app.get('/large', { config: { access: 'public' }, schema: { hide: true } }, () =>
    Promise.resolve(body),
  )
  const reader = connect(await server.listen(), '127.0.0.1').on('error', () => {})
  t.after(() => void reader.destroy())
  let answered = false
  server.app.server.on('request', (_request, response) => {
    response.once('close', () => {
      answered = true
    })
  })
  reader.pause().write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
  await until('it is cut off', () => answered)
  assert.equal(reader.bytesRead < LARGE, true)
})
