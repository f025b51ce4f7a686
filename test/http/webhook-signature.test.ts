import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openServer, type TestServer } from '../support/http-server.ts'
import { RawConnection } from '../support/raw-http.ts'
import { flatBody, SECRET, signature, toBytes } from '../support/signed.ts'

const server = await openServer({ after })
const port = await server.listen()

const REFUSED = { statusCode: 401, body: '{"detail":"invalid signature"}' }

async function answerTo(body: Buffer, headers: Record<string, string>, to: TestServer = server) {
  const answer = await to.app.inject({ method: 'POST', url: '/webhook', payload: body, headers })
  return { statusCode: answer.statusCode, body: answer.body }
}

test('64 hex digits of either case verify, also after "sha256="', async () => {
  const forms = [
    (hex: string) => hex,
    (hex: string) => hex.toUpperCase(),
    (hex: string) => `sha256=${hex}`,
    (hex: string) => `sha256=${hex.toUpperCase()}`,
    (hex: string) => hex.replace(/[a-f]/, (digit) => digit.toUpperCase()),
  ]
  for (const form of forms) {
    const body = toBytes(flatBody())
    const answer = await answerTo(body, { 'x-signature': form(signature(body)) })
    assert.deepEqual(answer, { statusCode: 200, body: '{"status":"ok"}' })
  }
})

test('anything else is 401 with one and the same body, and nothing is stored', async () => {
  const body = toBytes(flatBody({ from: '+4915199999' }))
  const hex = signature(body)
  const forms = [
    '',
    ' ',
    `${hex}zz`,
    `${hex}0`,
    hex.slice(1),
    hex.slice(2),
    `${hex} ${hex}`,
    `${hex}, ${hex}`,
    `${hex},`,
    `"${hex}"`,
    `0x${hex}`,
    `sha1=${hex}`,
    `SHA256=${hex}`,
    `sha256= ${hex}`,
    `sha256=sha256=${hex}`,
    `sha256:${hex}`,
    'sha256=',
    Buffer.from(hex, 'hex').toString('base64'),
    'g'.repeat(64),
    '０'.repeat(64),
    '0'.repeat(64),
    hex.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    signature(body, ''),
    signature(body, SECRET.slice(1)),
    signature(body, `${SECRET}\n`),
    signature(Buffer.concat([body, Buffer.from('\n')])),
    'null',
    'undefined',
  ]
  for (const form of forms) {
    assert.deepEqual(await answerTo(body, { 'x-signature': form }), REFUSED, JSON.stringify(form))
  }
  assert.deepEqual(await answerTo(body, {}), REFUSED)
  const list = await server.get('/messages?from=%2B4915199999')
  assert.equal(list.json<{ total: number }>().total, 0)
})

test('white space around the header value is not part of it', async () => {
  const body = JSON.stringify(flatBody())
  const connection = new RawConnection(port)
  connection.send(
    `POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\nX-Signature: \t ${signature(body)} \r\n\r\n${body}`,
  )
  assert.equal((await connection.answer()).status, 200)
  await connection.close()
})

test('a doubled signature header is refused, even when both are right', async () => {
  const body = JSON.stringify(flatBody())
  const hex = signature(body)
  for (const second of [hex, 'sha256=', '']) {
    const connection = new RawConnection(port)
    connection.send(
      `POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\nX-Signature: ${hex}\r\nx-signature: ${second}\r\n\r\n${body}`,
    )
    const { status, body: answer } = await connection.answer()
    assert.deepEqual({ statusCode: status, body: answer }, REFUSED)
    await connection.close()
  }
})

test('one flipped bit anywhere in the body is refused', async () => {
  const body = toBytes(flatBody())
  const headers = { 'x-signature': signature(body) }
  for (let i = 0; i < body.length; i++) {
    const flipped = Buffer.from(body)
    flipped[i] = (body[i] ?? 0) ^ (1 << (i % 8))
    assert.deepEqual(await answerTo(flipped, headers), REFUSED, `byte ${i}`)
  }
})

test('the signature is over the bytes: the same JSON written otherwise is refused', async () => {
  const body = flatBody({ text: 'é' })
  const headers = { 'x-signature': signature(toBytes(body)) }
  const json = JSON.stringify(body)
  const others = [
    JSON.stringify(body, null, 1),
    `\ufeff${json}`,
    `${json}\n`,
    json.replace('é', '\\u00e9'),
    json.normalize('NFD'),
  ]
  for (const other of others) {
    assert.deepEqual(await answerTo(Buffer.from(other), headers), REFUSED)
  }
})

test('the signature is checked before anything of the body', async () => {
  const unsigned = [
    ['', {}],
    ['not json', {}],
    [Buffer.from([0xff, 0xfe]), {}],
    ['['.repeat(100_000), {}],
    ['{}', { 'content-encoding': 'gzip' }],
    ['{}', { 'content-type': 'text/plain' }],
  ] as const
  for (const [body, headers] of unsigned) {
    assert.deepEqual(await answerTo(toBytes(body), { 'x-signature': 'no', ...headers }), REFUSED)
  }
})

test('an encoded body is refused before it is read as JSON', async () => {
  for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, identity', 'x']) {
    for (const body of [flatBody(), 'not json']) {
      const answer = await server.post(body, { headers: { 'content-encoding': encoding } })
      assert.equal(answer.statusCode, 415, encoding)
      assert.deepEqual(Object.keys(answer.json<object>()), ['detail'])
    }
  }
})

test('a body is taken in where its encoding is named and is none', async () => {
  for (const encoding of ['identity', 'Identity', '']) {
    const answer = await server.post(flatBody(), { headers: { 'content-encoding': encoding } })
    assert.equal(answer.statusCode, 200, encoding)
  }
})

test('a refused signature is logged at error level, without an id it might have made up', async (t) => {
  const quiet = await openServer(t)
  const answer = await quiet.post(flatBody(), { secret: 'another' })
  const [line] = quiet.log.where({ request_id: answer.headers['x-request-id'] })
  assert.equal(line?.['level'], 'error')
  assert.equal(line?.['result'], 'invalid_signature')
  assert.equal(line?.['message_id'], undefined)
})
