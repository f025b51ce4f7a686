import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { askReady } from '../support/ask-until.ts'
import { API_KEY, openServer } from '../support/http-server.ts'
import { lastAnswer, RawConnection } from '../support/raw-http.ts'
import { flatBody, signed } from '../support/signed.ts'

const server = await openServer({ after })
const port = await server.listen()

async function requestIdFor(given: string): Promise<string> {
  const answer = await server.get('/stats', { 'x-request-id': given })
  return String(answer.headers['x-request-id'])
}

test('a sane X-Request-ID is sent back and logged', async () => {
  const given = [
    'a',
    'abc-123',
    'A.b_c:d-E',
    '7f3e0c9a-1b2c-4d5e-8f90-abcdef012345',
    'x'.repeat(128),
  ]
  for (const id of given) {
    assert.equal(await requestIdFor(id), id)
    assert.equal(server.log.where({ request_id: id }).length, 1)
  }
})

test('any other X-Request-ID is replaced by one of our own, and is in no log', async () => {
  const given = [
    ...[
      '',
      ' ',
      'a b',
      'a\tb',
      'a"b',
      'a\\b',
      'a,b',
      '{}',
      '<script>',
      'é',
      'a\u007f',
      '%0a',
      'a;b',
    ],
    ...['x'.repeat(129), 'y'.repeat(10_000)],
  ]
  for (const id of given) {
    const used = await requestIdFor(id)
    assert.match(used, /^[0-9a-f]{12}-[0-9a-z]+$/)
    assert.equal(server.log.where({ request_id: used }).length, 1)
    assert.equal(server.log.where({ request_id: id }).length, 0)
  }
})

test('a doubled X-Request-ID is replaced', async () => {
  const connection = new RawConnection(port)
  connection.send(
    'GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: one\r\nX-Request-ID: two\r\n\r\n',
  )
  assert.match((await connection.answer()).headers['x-request-id'] ?? '', /^[0-9a-f]{12}-/)
  await connection.close()
})

test('without one, every request gets an id of its own', async () => {
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => server.get('/health/live')))
  assert.equal(new Set(answers.map(({ headers }) => headers['x-request-id'])).size, 5)
})

test('every answer forbids guessing its type and keeping it, and does not name the software', async () => {
  const answers = [
    await server.post(flatBody()),
    await server.post('x'),
    await server.post(flatBody(), { secret: 'another' }),
    await server.post(flatBody(), { headers: { 'content-encoding': 'gzip' } }),
    await server.get('/messages'),
    await server.get('/messages?limit=0'),
    await server.get('/messages/unknown'),
    await server.get(`/messages/${'x'.repeat(4000)}`),
    await server.get('/messages/%zz'),
    await server.get('/stats'),
    await server.get('/metrics'),
    await server.get('/health/live'),
    await server.get('/health/ready'),
    await server.get('/openapi.json'),
    await server.get('/docs'),
    await server.get('/redoc'),
    await server.get('/nowhere'),
    await server.app.inject('/messages'),
    await server.app.inject({ ...signed(flatBody()), method: 'DELETE' }),
    await server.app.inject({ method: 'HEAD', url: '/health/live' }),
    await server.app.inject({ url: '/health/live', headers: { host: '' } }),
  ]
  for (const { headers, raw, statusCode } of answers) {
    const what = `${raw.req.method} ${raw.req.url} ${statusCode}`
    assert.equal(headers['x-content-type-options'], 'nosniff', what)
    assert.equal(headers['cache-control'], 'no-store', what)
    assert.ok(headers['x-request-id'], what)
    assert.ok(headers['content-type'], what)
    assert.equal(headers['server'], undefined, what)
    assert.equal(headers['x-powered-by'], undefined, what)
    assert.equal(headers['access-control-allow-origin'], undefined, what)
    assert.equal(headers['set-cookie'], undefined, what)
  }
})

test('so does the answer to a path that can not be decoded', async () => {
  const { headers } = await lastAnswer(
    port,
    'GET /messages/%zz HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: mine\r\n\r\n',
  )
  assert.equal(headers['x-request-id'], 'mine')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['cache-control'], 'no-store')
})

test('HEAD is answered like GET, without the body', async () => {
  for (const url of ['/messages', '/stats', '/health/ready', '/openapi.json', '/docs']) {
    const get = await askReady(() => server.get(url))
    const headers = { authorization: `Bearer ${API_KEY}` }
    const head = await askReady(() => server.app.inject({ method: 'HEAD', url, headers }))
    assert.equal(head.statusCode, 200)
    assert.equal(head.body, '')
    for (const name of ['content-type', 'content-length', 'content-security-policy']) {
      assert.equal(head.headers[name], get.headers[name], `${url} ${name}`)
    }
  }
})
