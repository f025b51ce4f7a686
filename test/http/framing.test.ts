import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { API_KEY, openServer } from '../support/http-server.ts'
import { lastAnswer, RawConnection } from '../support/raw-http.ts'
import { flatBody, signature } from '../support/signed.ts'
import { until } from '../support/until.ts'

const server = await openServer({ after })
const port = await server.listen()

const HOST = 'Host: localhost\r\n'
const LIVE = 'GET /health/live HTTP/1.1\r\n'
const POST = `POST /webhook HTTP/1.1\r\n${HOST}`

/** A signed request with these headers in place of a length, and its body framed likewise. */
function signedWith(headers: string, frame = (body: string) => body): string {
  const body = JSON.stringify(flatBody())
  return `${POST}${headers}X-Signature: ${signature(body)}\r\n\r\n${frame(body)}`
}

const length = (body: string) => body.length.toString(16)
const chunked = (body: string) => `${length(body)}\r\n${body}\r\n0\r\n\r\n`

async function refused(name: string, bytes: string): Promise<void> {
  const { status, headers, body } = await lastAnswer(port, bytes)
  assert.equal(status, 400, name)
  assert.equal(headers['content-type'], 'application/json; charset=utf-8', name)
  assert.equal(headers['connection']?.toLowerCase(), 'close', name)
  assert.equal(headers['x-content-type-options'], 'nosniff', name)
  assert.equal(headers['cache-control'], 'no-store', name)
  assert.deepEqual(Object.keys(JSON.parse(body) as object), ['detail'], name)
}

const HOSTS: Readonly<Record<string, string>> = {
  'a doubled Host': `${LIVE}${HOST}${HOST}\r\n`,
  'a second, other Host': `${LIVE}${HOST}Host: other\r\n\r\n`,
  'a doubled Host in other cases': `${LIVE}${HOST}hOST: localhost\r\n\r\n`,
  'no Host at all': `${LIVE}\r\n`,
  'white space before the colon': `${LIVE}Host : localhost\r\n\r\n`,
  'an absolute target': `GET http://localhost/health/live HTTP/1.1\r\n${HOST}\r\n`,
  'an absolute target of another host': `GET http://other/messages HTTP/1.1\r\n${HOST}\r\n`,
  'an authority as target': `GET localhost:80 HTTP/1.1\r\n${HOST}\r\n`,
  'a target without a slash': `GET messages HTTP/1.1\r\n${HOST}\r\n`,
  'an asterisk as target': `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
  'a fragment in the target': `GET /health/live#top HTTP/1.1\r\n${HOST}\r\n`,
  'a doubled Host before a path that can not be decoded': `GET /%zz HTTP/1.1\r\n${HOST}${HOST}\r\n`,
}

const LENGTHS: Readonly<Record<string, string>> = {
  'a doubled Content-Length': signedWith('Content-Length: 2\r\nContent-Length: 2\r\n'),
  'a second, other Content-Length': signedWith('Content-Length: 2\r\ncontent-length: 3\r\n'),
  'a list as Content-Length': signedWith('Content-Length: 2, 2\r\n'),
  'a signed Content-Length': signedWith('Content-Length: +2\r\n'),
  'a negative Content-Length': signedWith('Content-Length: -2\r\n'),
  'a hexadecimal Content-Length': signedWith('Content-Length: 0x2\r\n'),
  'an empty Content-Length': signedWith('Content-Length: \r\n'),
  'a Content-Length beyond all numbers': signedWith(`Content-Length: ${'9'.repeat(30)}\r\n`),
  'both lengths': signedWith('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', chunked),
  'both lengths the other way': signedWith(
    'transfer-encoding: chunked\r\ncontent-length: 2\r\n',
    chunked,
  ),
  'two encodings': signedWith('Transfer-Encoding: gzip, chunked\r\n', chunked),
  'two encodings in other cases': signedWith('tRANSFER-eNCODING: GZIP, Chunked\r\n', chunked),
  'two encodings in two headers': signedWith(
    'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n',
    chunked,
  ),
  'chunked twice': signedWith('Transfer-Encoding: chunked, chunked\r\n', chunked),
  'chunked in two headers': signedWith(
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
    chunked,
  ),
  'an encoding that is not chunked': signedWith('Transfer-Encoding: gzip\r\n', chunked),
  'an encoding that is nearly chunked': signedWith('Transfer-Encoding: xchunked\r\n', chunked),
  'an encoding with a parameter': signedWith('Transfer-Encoding: chunked;q=1\r\n', chunked),
  'identity as encoding': signedWith('Transfer-Encoding: identity\r\n', chunked),
  'an empty encoding': signedWith('Transfer-Encoding: \r\n', chunked),
  'an encoding in HTTP/1.0, which has none': signedWith(
    'Transfer-Encoding: chunked\r\n',
    chunked,
  ).replace('HTTP/1.1', 'HTTP/1.0'),
  'a chunk size that is no number': signedWith('Transfer-Encoding: chunked\r\n', () => 'zz\r\n'),
  'a chunk longer than its size': signedWith(
    'Transfer-Encoding: chunked\r\n',
    (body) => `1\r\n${body}\r\n0\r\n\r\n`,
  ),
  'a chunk size with 0x': signedWith(
    'Transfer-Encoding: chunked\r\n',
    (body) => `0x${chunked(body)}`,
  ),
  'a Content-Length behind the last chunk': signedWith('Transfer-Encoding: chunked\r\n', (body) =>
    chunked(body).replace(/\r\n$/, 'Content-Length: 1\r\n\r\n'),
  ),
  'a bare line feed behind a chunk size': signedWith(
    'Transfer-Encoding: chunked\r\n',
    (body) => `${length(body)}\n${body}\r\n0\r\n\r\n`,
  ),
  'a GET with a body': `${LIVE}${HOST}Content-Length: 2\r\n\r\n{}`,
  'a GET with a chunked body': `${LIVE}${HOST}Transfer-Encoding: chunked\r\n\r\n${chunked('{}')}`,
}

const LINES: Readonly<Record<string, string>> = {
  'bare line feeds': `GET /health/live HTTP/1.1\nHost: localhost\n\n`,
  'one bare line feed': `${LIVE}${HOST}X-A: b\nX-C: d\r\n\r\n`,
  'a bare carriage return': `${LIVE}${HOST}X-A: b\rX-C: d\r\n\r\n`,
  'a folded header': `${LIVE}${HOST}X-A: b\r\n c\r\n\r\n`,
  'a folded Transfer-Encoding': signedWith('Transfer-Encoding:\r\n chunked\r\n', chunked),
  'white space before the first header': `${LIVE} ${HOST}\r\n`,
  'a NUL in a header': `${LIVE}${HOST}X-A: b\0c\r\n\r\n`,
  'a NUL in the target': `GET /health\0/live HTTP/1.1\r\n${HOST}\r\n`,
  'a header without a colon': `${LIVE}${HOST}Nonsense\r\n\r\n`,
  'a header without a name': `${LIVE}${HOST}: x\r\n\r\n`,
  'a header name in Unicode': `${LIVE}${HOST}X-\xe9: x\r\n\r\n`,
  'raw Unicode in the target': `GET /messages/\xc3\xa9 HTTP/1.1\r\n${HOST}\r\n`,
  'a space in the target': `GET /health/live x HTTP/1.1\r\n${HOST}\r\n`,
  'a method nobody knows': `FOO /messages HTTP/1.1\r\n${HOST}\r\n`,
  'a method in lower case': `get /health/live HTTP/1.1\r\n${HOST}\r\n`,
  'no version': `GET /health/live\r\n${HOST}\r\n`,
  'version 0.9': `GET /health/live HTTP/0.9\r\n${HOST}\r\n`,
  'version 1.2': `GET /health/live HTTP/1.2\r\n${HOST}\r\n`,
  'version 2.0': `GET /health/live HTTP/2.0\r\n${HOST}\r\n`,
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
}

for (const [subject, requests] of Object.entries({ HOSTS, LENGTHS, LINES })) {
  for (const [name, bytes] of Object.entries(requests)) {
    test(`${subject.toLowerCase()}: ${name} is 400 in JSON and a closed connection`, () =>
      refused(name, bytes))
  }
}

test('nothing of all that was stored', async () => {
  assert.equal((await server.get('/stats')).json<{ total_messages: number }>().total_messages, 0)
})

test('headers over 16 KiB are 431 in JSON and a closed connection', async () => {
  for (const headers of [`X-A: ${'a'.repeat(17_000)}\r\n`, 'X-A: a\r\n'.repeat(3000)]) {
    const answer = await lastAnswer(port, `${LIVE}${HOST}${headers}\r\n`)
    assert.equal(answer.status, 431)
    assert.deepEqual(JSON.parse(answer.body), { detail: 'The headers are larger than 16 KiB.' })
  }
  const connection = new RawConnection(port)
  connection.send(`${LIVE}${HOST}X-A: ${'a'.repeat(15_000)}\r\n\r\n`)
  assert.equal((await connection.answer()).status, 200)
  await connection.close()
})

test('what only looks odd is answered as usual', async () => {
  const connection = new RawConnection(port)
  const requests: readonly [string, number][] = [
    [`${LIVE}HOST: localhost\r\n\r\n`, 200],
    [`${LIVE}host:localhost\r\n\r\n`, 200],
    [`GET /health/live?a=1?b=/ HTTP/1.1\r\n${HOST}\r\n`, 200],
    [`${LIVE}${HOST}Content-Length: 0\r\n\r\n`, 200],
    [`${LIVE}${HOST}Expect: nonsense\r\n\r\n`, 200],
    [`GET //health/live HTTP/1.1\r\n${HOST}\r\n`, 404],
    [`GET /health/live/ HTTP/1.1\r\n${HOST}\r\n`, 404],
    [signedWith('transfer-encoding: CHUNKED\r\n', chunked), 200],
    [
      signedWith('Transfer-Encoding: chunked\r\n', (body) => chunked(body).replace('\r', ';a=b\r')),
      200,
    ],
    [
      signedWith('Transfer-Encoding: chunked\r\n', (body) =>
        chunked(body).replace(/\r\n$/, 'X-Signature: no\r\n\r\n'),
      ),
      200,
    ],
  ]
  for (const [bytes, status] of requests) {
    connection.send(bytes)
    assert.equal((await connection.answer()).status, status, bytes)
  }
  await connection.close()
})

test('HTTP/1.0 is answered, and the connection closed', async () => {
  assert.equal((await lastAnswer(port, 'GET /health/live HTTP/1.0\r\n\r\n')).status, 200)
})

test('a sender that asks before it sends is told to go on', async () => {
  const body = JSON.stringify(flatBody())
  const connection = new RawConnection(port)
  connection.send(
    `${POST}Expect: 100-continue\r\nContent-Length: ${body.length}\r\nX-Signature: ${signature(body)}\r\n\r\n`,
  )
  assert.equal((await connection.answer()).status, 100)
  connection.send(body)
  assert.equal((await connection.answer()).status, 200)
  await connection.close()
})

test('whoever asks for another protocol is answered in this one, and sees that nothing behind it was', async () => {
  const upgrade = `${LIVE}${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
  const { status, headers } = await lastAnswer(port, upgrade + upgrade)
  assert.equal(status, 200)
  assert.equal(headers['connection']?.toLowerCase(), 'close')
})

test('requests sent in one go are answered in their order', async () => {
  const bodies = [1, 2, 3].map(() => JSON.stringify(flatBody()))
  const connection = new RawConnection(port)
  const posts = bodies.map(
    (body) =>
      `${POST}Content-Length: ${body.length}\r\nX-Signature: ${signature(body)}\r\n\r\n${body}`,
  )
  connection.send(`${posts.join('')}GET /messages/%zz HTTP/1.1\r\n${HOST}\r\n`)
  const statuses = []
  for (let i = 0; i < 4; i++) statuses.push((await connection.answer()).status)
  assert.deepEqual(statuses, [200, 200, 200, 400])
  await connection.closed
})

test('garbage behind requests that were answered is 400 in JSON and a closed connection', async () => {
  const connection = new RawConnection(port)
  for (let i = 0; i < 2; i++) {
    connection.send(`${LIVE}${HOST}\r\n`)
    assert.equal((await connection.answer()).status, 200)
  }
  connection.send('nonsense\r\n\r\n')
  assert.equal((await connection.answer()).status, 400)
  await connection.closed
})

test('garbage behind a request in flight is never answered in its place', async (t) => {
  const gate = Promise.withResolvers<null>()
  let asked = 0
  const slow = await openServer(t, {
    store: () => ({
      find: () => {
        asked++
        return gate.promise
      },
    }),
  })
  const slowPort = await slow.listen()
  const garbage = ['nonsense\r\n\r\n', `${LIVE}${HOST}${HOST.replace(':', ' :')}\r\n`, '\0']
  for (const [i, bytes] of garbage.entries()) {
    const connection = new RawConnection(slowPort)
    connection.send(
      `GET /messages/x HTTP/1.1\r\n${HOST}Authorization: Bearer ${API_KEY}\r\n\r\n${bytes}`,
    )
    await until('the first request is in flight', () => asked === i + 1)
    await connection.closed
    assert.equal(connection.received, '')
  }
  gate.resolve(null)
})

test('a body that turns to garbage once its request was answered is not answered again', async (t) => {
  const shut = await openServer(t, { environment: { WEBHOOK_SECRET: '' } })
  const connection = new RawConnection(await shut.listen())
  connection.send(`${POST}Transfer-Encoding: chunked\r\n\r\n`)
  assert.equal((await connection.answer()).status, 503)
  connection.send('zz\r\n')
  await connection.closed
  assert.equal(connection.received, '')
})

test('the limits of time and connections are those of the contract', async (t) => {
  const limited = await openServer(t, { environment: { MAX_CONNECTIONS: '2' } })
  const { headersTimeout, requestTimeout, maxConnections } = limited.app.server
  assert.deepEqual(
    { headersTimeout, requestTimeout, maxConnections },
    { headersTimeout: 10_000, requestTimeout: 30_000, maxConnections: 2 },
  )
  const limitedPort = await limited.listen()
  const open = [new RawConnection(limitedPort), new RawConnection(limitedPort)]
  for (const connection of open) {
    connection.send(`${LIVE}${HOST}\r\n`)
    assert.equal((await connection.answer()).status, 200)
  }
  const surplus = new RawConnection(limitedPort)
  await surplus.closed
  assert.equal(surplus.received, '')
  for (const connection of open) await connection.close()
})

test('a request that takes too long to arrive is 408 in JSON', async () => {
  const connection = new RawConnection(port)
  const accepted = new Promise<import('node:net').Socket>((resolve) => {
    server.app.server.once('connection', resolve)
  })
  connection.send('GET /health')
  const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
  server.app.server.emit('clientError', late, await accepted)
  const answer = await connection.answer()
  assert.equal(answer.status, 408)
  assert.deepEqual(JSON.parse(answer.body), { detail: 'The request took too long to arrive.' })
  await connection.closed
})
