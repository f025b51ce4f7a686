// What requests keep in memory of their bodies: one copy until they are answered, and nothing behind
// the answer, however long the connection idles.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { APP_SECRET } from '../support/cloud-api.ts'
import { openServer } from '../support/http-server.ts'
import { connectionFor } from '../support/raw-http.ts'
import { signature } from '../support/signed.ts'
import { until } from '../support/until.ts'

const CONNECTIONS = 20
/** Bodies that may be in memory for other reasons, as what a socket has just read. */
const FEW = 4
const BODY = JSON.stringify({ text: 'x'.repeat(1024 * 1024) })
const TOO_LARGE = 'x'.repeat(2 * BODY.length)
const ENVIRONMENT = {
  META_APP_SECRET: APP_SECRET,
  MAX_BODY_BYTES: String(BODY.length),
  // Refused bodies are kept, but not many.
  QUARANTINE_MAX_BYTES: String(64 * 1024),
}
/** Of one byte each. */
const PARTS = 512 * 1024
const SIGNED = { 'X-Hub-Signature-256': `sha256=${signature(BODY, APP_SECRET)}` }

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Memory of buffers that something still needs, in bodies. */
async function bodiesHeld(): Promise<number> {
  return (await memoryHeld()).arrayBuffers / BODY.length
}

async function memoryHeld(): Promise<NodeJS.MemoryUsage> {
  // What was let go of in this turn may need another one to be collected.
  for (let turn = 0; turn < 5; turn++) {
    await nextTurn()
    collectGarbage()
  }
  return process.memoryUsage()
}

function heapAndBuffers({ heapUsed, arrayBuffers }: NodeJS.MemoryUsage): number {
  return heapUsed + arrayBuffers
}

function post(path: string, body: string, headers: Record<string, string> = {}): string {
  const lines = Object.entries({ Host: 'localhost', 'Content-Length': body.length, ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `POST ${path} HTTP/1.1\r\n${head}\r\n${body}`
}

const ANSWERED = {
  'a signature that does not hold': [401, post('/webhook', BODY, { 'X-Signature': 'no' })],
  'a message that is not valid': [422, post('/webhook', BODY, { 'X-Signature': signature(BODY) })],
  'a batch that was stored': [200, post('/webhook/cloud-api', BODY, SIGNED)],
  'a path that nobody knows': [404, post('/nowhere', BODY)],
  'a body that is too large': [413, post('/webhook', TOO_LARGE)],
} as const

for (const [name, [status, request]] of Object.entries(ANSWERED)) {
  test(`connections that idle behind the answer to ${name} keep no body`, async (t) => {
    const server = await openServer(t, { environment: ENVIRONMENT })
    const port = await server.listen()
    const before = await bodiesHeld()
    for (let i = 0; i < CONNECTIONS; i++) {
      const connection = connectionFor(t, port)
      connection.send(request)
      assert.equal((await connection.answer()).status, status)
    }
    const held = (await bodiesHeld()) - before
    assert.ok(held < FEW, `${held.toFixed(1)} of ${CONNECTIONS} bodies are held`)
  })
}

const POLL = 'GET /events?wait=20 HTTP/1.1\r\nHost: localhost\r\n\r\n'

test('bodies that turn out to be too large are kept by nobody, also where another answer comes first', async (t) => {
  const server = await openServer(t, { environment: { ...ENVIRONMENT, READ_ACCESS: 'open' } })
  const port = await server.listen()
  const sockets: Socket[] = []
  server.app.server.on('connection', (socket: Socket) => sockets.push(socket))
  const before = await bodiesHeld()
  const head = 'POST /webhook HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
  const request = `${POLL}${head}${BODY.length.toString(16)}\r\n${BODY}\r\n1\r\nx\r\n`
  for (let i = 0; i < CONNECTIONS; i++) connectionFor(t, port).send(request)
  await until('all of it arrived', () => {
    const arrived = sockets.filter(({ bytesRead }) => bytesRead === request.length)
    return arrived.length === CONNECTIONS
  })
  const held = (await bodiesHeld()) - before
  assert.ok(held < FEW, `${held.toFixed(1)} of ${CONNECTIONS} bodies are held`)
})

const IN_PARTS: Readonly<Record<string, { path: string; before: string }>> = {
  'is read': { path: '/webhook', before: '' },
  'is refused while another answer comes first': {
    path: '/nowhere',
    before: POLL,
  },
}

for (const [how, { path, before }] of Object.entries(IN_PARTS)) {
  test(`a body that arrives in parts of one byte, and ${how}, takes little more memory than its bytes`, async (t) => {
    const server = await openServer(t, { environment: { ...ENVIRONMENT, READ_ACCESS: 'open' } })
    const port = await server.listen()
    const sockets: Socket[] = []
    server.app.server.on('connection', (socket: Socket) => sockets.push(socket))
    const heldBefore = heapAndBuffers(await memoryHeld())
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`
    const request = `${before}${head}${'1\r\nx\r\n'.repeat(PARTS)}`
    const connection = connectionFor(t, port)
    connection.send(request)
    await until('all of it arrived', () => sockets[0]?.bytesRead === request.length)
    const held = (heapAndBuffers(await memoryHeld()) - heldBefore) / PARTS
    await connection.close()
    assert.ok(held < 8, `${held.toFixed(1)} bytes are held for each`)
  })
}

test('a body that waits to be stored is in memory once', async (t) => {
  const { promise: mayStore, resolve: letStore } = Promise.withResolvers<void>()
  const server = await openServer(t, {
    environment: ENVIRONMENT,
    store: (real) => ({ insert: (batch) => mayStore.then(() => real.insert(batch)) }),
  })
  const port = await server.listen()
  const before = await bodiesHeld()
  const connections = Array.from({ length: CONNECTIONS }, () => connectionFor(t, port))
  for (const connection of connections) {
    connection.send(post('/webhook/cloud-api', BODY, SIGNED))
  }
  await until('all wait', () => server.queue.bytes === CONNECTIONS * BODY.length)
  const held = (await bodiesHeld()) - before
  letStore()
  for (const connection of connections) assert.equal((await connection.answer()).status, 200)
  assert.ok(held < CONNECTIONS + FEW, `${held.toFixed(1)} bodies for ${CONNECTIONS} requests`)
})
