import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { StoreFailedError, StoreUnavailableError } from '../../src/app/errors.ts'
import type { InsertedBatch } from '../../src/app/store/store.ts'
import { openServer } from '../support/http-server.ts'
import { lastAnswer, RawConnection } from '../support/raw-http.ts'
import { flatBody, signature, signed, toBytes } from '../support/signed.ts'
import { until } from '../support/until.ts'

const MAX_BODY_BYTES = 20_000
const HEAD = 'POST /webhook HTTP/1.1\r\nHost: localhost\r\n'

/** A signed message of exactly this many bytes. */
function bodyOf(bytes: number): Buffer {
  const body = toBytes(flatBody())
  return Buffer.concat([body, Buffer.alloc(bytes - body.length, ' ')])
}

/** Over a real connection: an injected request is never closed, and so gives no memory back. */
async function postTo(port: number, body: Buffer): Promise<Response> {
  const headers = { 'x-signature': signature(body) }
  const response = await fetch(`http://127.0.0.1:${port}/webhook`, {
    method: 'POST',
    body,
    headers,
  })
  await response.arrayBuffer()
  return response
}

/** A server whose commits wait until they are let go. */
async function withHeldCommits(t: TestContext, environment: Record<string, string>) {
  const gate = Promise.withResolvers<void>()
  const server = await openServer(t, {
    environment,
    store: (real) => ({
      insert: async (batch): Promise<InsertedBatch> => {
        await gate.promise
        return real.insert(batch)
      },
    }),
  })
  return { server, release: gate.resolve }
}

test('a body of exactly MAX_BODY_BYTES is taken, one byte more is 413', async (t) => {
  const server = await openServer(t, { environment: { MAX_BODY_BYTES: `${MAX_BODY_BYTES}` } })
  assert.equal((await server.post(bodyOf(MAX_BODY_BYTES))).statusCode, 200)
  const answer = await server.post(bodyOf(MAX_BODY_BYTES + 1))
  assert.equal(answer.statusCode, 413)
  assert.equal(answer.body, '{"detail":"The body is larger than MAX_BODY_BYTES allows."}')
})

test('a length that is too large is refused before a byte of the body is sent', async (t) => {
  const server = await openServer(t, { environment: { MAX_BODY_BYTES: `${MAX_BODY_BYTES}` } })
  const port = await server.listen()
  const answer = await lastAnswer(port, `${HEAD}Content-Length: ${MAX_BODY_BYTES + 1}\r\n\r\n`)
  assert.equal(answer.status, 413)
})

test('a chunked body is taken like any other, and refused once it is too large', async (t) => {
  const server = await openServer(t, { environment: { MAX_BODY_BYTES: `${MAX_BODY_BYTES}` } })
  const port = await server.listen()
  const chunk = (bytes: Buffer) => `${bytes.length.toString(16)}\r\n${bytes.toString('latin1')}\r\n`
  for (const bytes of [1000, MAX_BODY_BYTES]) {
    const body = bodyOf(bytes)
    const connection = new RawConnection(port)
    connection.send(`${HEAD}Transfer-Encoding: chunked\r\nX-Signature: ${signature(body)}\r\n\r\n`)
    connection.send(chunk(body.subarray(0, 7)))
    connection.send(`${chunk(body.subarray(7))}0\r\n\r\n`)
    assert.equal((await connection.answer()).status, 200)
    await connection.close()
  }
  const connection = new RawConnection(port)
  connection.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
  connection.send(chunk(Buffer.alloc(MAX_BODY_BYTES)))
  connection.send('1\r\n')
  connection.send('x')
  assert.equal((await connection.answer()).status, 413)
  await connection.close()
})

test('a body in many small pieces is verified as one', async (t) => {
  const server = await openServer(t)
  const port = await server.listen()
  const body = toBytes(flatBody())
  const connection = new RawConnection(port)
  connection.send(
    `${HEAD}Content-Length: ${body.length}\r\nX-Signature: ${signature(body)}\r\n\r\n`,
  )
  for (const byte of body.toString('latin1')) connection.send(byte)
  assert.equal((await connection.answer()).status, 200)
  await connection.close()
})

test('the content type plays no part, whatever it says and when it is missing', async (t) => {
  const server = await openServer(t)
  const port = await server.listen()
  const types = [
    ...['', 'text/plain', 'application/xml', 'application/json; charset=utf-16', '*/*', 'a', '/'],
    ...[';;;', 'text/ plain', 'application/json, text/plain', 'application/json; charset="', '\t'],
    ...['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'x'.repeat(4000)],
  ]
  const headers = [...types.map((type) => `Content-Type: ${type}\r\n`), '']
  const connection = new RawConnection(port)
  for (const header of [...headers, 'Content-Type: a/b\r\nContent-Type: c/d\r\n']) {
    const body = toBytes(flatBody()).toString('latin1')
    connection.send(
      `${HEAD}${header}Content-Length: ${body.length}\r\nX-Signature: ${signature(body)}\r\n\r\n${body}`,
    )
    assert.equal((await connection.answer()).status, 200, header)
  }
  await connection.close()
})

test('a signed empty body is 422, declared, chunked or with no length at all', async (t) => {
  const server = await openServer(t)
  const port = await server.listen()
  const connection = new RawConnection(port)
  const head = `${HEAD}X-Signature: ${signature('')}\r\n`
  const requests = [
    `${head}Content-Length: 0\r\n\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${head}\r\n`,
    `${head}Content-Type: application/json\r\n\r\n`,
  ]
  for (const request of requests) {
    connection.send(request)
    assert.equal((await connection.answer()).status, 422, request)
  }
  await connection.close()
})

test('without a secret everything is 503 before anything is looked at', async (t) => {
  const server = await openServer(t, {
    environment: { WEBHOOK_SECRET: ' , ', MAX_BODY_BYTES: '100' },
  })
  const port = await server.listen()
  for (const body of [flatBody(), '', 'x'.repeat(1000)]) {
    const answer = await server.post(body, { secret: '' })
    assert.equal(answer.statusCode, 503)
    assert.equal(answer.headers['retry-after'], '60')
    assert.match(answer.json<{ detail: string }>().detail, /WEBHOOK_SECRET/)
  }
  const connection = new RawConnection(port)
  connection.send(`${HEAD}Content-Length: 50\r\n\r\n`)
  assert.equal((await connection.answer()).status, 503)
  await connection.close()
})

test('a full queue is 503 with Retry-After, before a byte of the body is sent', async (t) => {
  const { server, release } = await withHeldCommits(t, { QUEUE_MAX_REQUESTS: '2' })
  const port = await server.listen()
  const waiting = [server.post(flatBody()), server.post(flatBody())]
  await until('the queue is full', () => server.queue.isFullFor(0))
  const connection = new RawConnection(port)
  connection.send(`${HEAD}Content-Length: 50\r\n\r\n`)
  const answer = await connection.answer()
  assert.equal(answer.status, 503)
  assert.equal(answer.headers['retry-after'], '5')
  await connection.close()
  release()
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ statusCode }) => statusCode),
    [200, 200],
  )
  assert.equal((await server.post(flatBody())).statusCode, 200)
})

test('a queue that is full by bytes is 503, and takes more once it has emptied', async (t) => {
  const { server, release } = await withHeldCommits(t, {
    MAX_BODY_BYTES: '1000',
    QUEUE_MAX_BYTES: '1500',
  })
  const first = server.post(bodyOf(900))
  await until('the first waits', () => server.queue.items === 1)
  assert.equal(server.queue.bytes, 900)
  const refused = await server.post(bodyOf(900))
  assert.equal(refused.statusCode, 503)
  assert.equal(refused.headers['retry-after'], '5')
  const small = server.post(bodyOf(600))
  release()
  assert.equal((await first).statusCode, 200)
  assert.equal((await small).statusCode, 200)
  assert.equal((await server.post(bodyOf(900))).statusCode, 200)
})

test('a sender that goes away mid-body leaves no 500 behind, and no memory taken', async (t) => {
  const server = await openServer(t, {
    environment: { MAX_BODY_BYTES: '100000', QUEUE_MAX_BYTES: '100000' },
  })
  let seen = 0
  server.app.addHook('onRequest', (_request, _reply, done) => {
    seen++
    done()
  })
  const port = await server.listen()
  for (let i = 1; i <= 5; i++) {
    const connection = new RawConnection(port)
    connection.send(`${HEAD}Content-Length: 90000\r\n\r\n${'x'.repeat(80_000)}`)
    await until('the request is under way', () => seen === i)
    await connection.close()
  }
  await until('all that was taken is given back', async () => {
    return (await postTo(port, bodyOf(100_000))).status === 200
  })
  assert.deepEqual(server.log.where({ level: 'error' }), [])
  assert.deepEqual(server.log.where({ status: 500 }), [])
})

test('bodies under way share a bound: a large one too many is 503, a small one is taken', async (t) => {
  const server = await openServer(t, {
    environment: { MAX_BODY_BYTES: '100000', QUEUE_MAX_BYTES: '100000' },
  })
  const port = await server.listen()
  const large = bodyOf(100_000)
  const first = new RawConnection(port)
  first.send(`${HEAD}Content-Length: ${large.length}\r\nX-Signature: ${signature(large)}\r\n\r\n`)
  first.send(large.subarray(0, 90_000).toString('latin1'))
  await until('a second large body finds no room', async () => {
    const answer = await postTo(port, bodyOf(100_000))
    return answer.status === 503 && answer.headers.get('retry-after') === '5'
  })
  assert.equal((await postTo(port, bodyOf(16_000))).status, 200)
  first.send(large.subarray(90_000).toString('latin1'))
  assert.equal((await first.answer()).status, 200)
  await first.close()
})

test('a commit that fails is 503 with Retry-After, and no 200 for anything unsaved', async (t) => {
  const errors = [new StoreUnavailableError('database is locked'), new StoreFailedError('EIO')]
  const server = await openServer(t, {
    store: (real) => ({
      insert: (batch) => {
        const error = errors.shift()
        return error === undefined ? real.insert(batch) : Promise.reject(error)
      },
    }),
  })
  const body = flatBody()
  for (const _ of [1, 2]) {
    const answer = await server.post(body)
    assert.equal(answer.statusCode, 503)
    assert.equal(answer.headers['retry-after'], '5')
    assert.match(answer.body, /^\{"detail":"The message could not be stored just now/)
    assert.equal((await server.get(`/messages/${body.message_id}`)).statusCode, 404)
  }
  assert.equal((await server.post(body)).statusCode, 200)
  assert.equal((await server.app.inject(signed(body))).statusCode, 200)
})
