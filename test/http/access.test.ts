import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Access } from '../../src/app/http/access.ts'
import { askReady } from '../support/ask-until.ts'
import { API_KEY, openServer, type TestServer } from '../support/http-server.ts'
import { lastAnswer, RawConnection } from '../support/raw-http.ts'
import { routesOf } from '../support/routes.ts'
import { CANARY, flatBody } from '../support/signed.ts'

/** What each route declares. A new route has to be added here, with a thought about who may read it. */
const DECLARED: Readonly<Record<string, Access>> = {
  'POST /webhook': 'public',
  'POST /webhook/cloud-api': 'public',
  'GET /webhook': 'public',
  'GET /webhook/cloud-api': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /messages': 'read',
  'GET /messages/:message_id': 'read',
  'GET /conversations': 'read',
  'GET /conversations/:contact/messages': 'read',
  'GET /events': 'read',
  'GET /events/stream': 'read',
  'GET /intakes/:id': 'read',
  'GET /intakes/:id/raw': 'read',
  'GET /rejections': 'read',
  'GET /providers': 'read',
  'GET /stats': 'read',
  'GET /metrics': 'read',
  'GET /openapi.json': 'read',
  'GET /docs': 'read',
  'GET /docs/start.js': 'read',
  'GET /docs/swagger-ui-bundle.js': 'read',
  'GET /docs/swagger-ui.css': 'read',
  'GET /redoc': 'read',
  'GET /redoc/redoc.standalone.js': 'read',
}

/** The stream is left to a test of its own: its answer does not end. */
const READS = Object.entries(DECLARED).filter(
  ([name, access]) => access !== 'public' && name !== 'GET /events/stream',
)
const REFUSED =
  '{"detail":"This needs an API key: send \\"Authorization: Bearer <key>\\" with a key from API_KEYS. With none set and READ_ACCESS=keys, one is in the file api-key beside the database."}'
const ID = 'canary-id'

/** A server with one message in it, whose id stands in for the parameter of a route. */
async function withMessage(t: Parameters<typeof openServer>[0], environment = {}) {
  const server = await openServer(t, { environment })
  await server.post(flatBody({ message_id: ID }))
  return server
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'
const urlOf = (path: string) =>
  path
    .replace(':message_id', ID)
    .replace(':contact', 'x')
    .replace(':id', '1')
    .replace('stream', 'stream?kind=none')
const get = ({ app }: TestServer, url: string, headers: Record<string, string> = {}) =>
  app.inject({ url, headers })

test('every route of the server declares who may use it, as it is listed here', async (t) => {
  const server = await openServer(t)
  const declared = new Map<string, unknown>()
  server.app.addHook('onRequest', (request, _reply, done) => {
    const { url, config } = request.routeOptions
    declared.set(`${request.method} ${url}`, config.access)
    done()
  })
  await server.app.ready()
  const found: Record<string, unknown> = {}
  for (const { path, methods } of routesOf(server.app)) {
    for (const method of methods as Method[]) {
      const headers = { authorization: `Bearer ${API_KEY}` }
      const { statusCode } = await server.app.inject({ method, url: urlOf(path), headers })
      const name = `${method} ${path}`
      if (statusCode === 405) assert.equal(declared.get(name), 'public')
      else if (method !== 'HEAD') found[name] = declared.get(name)
      else assert.equal(declared.get(name), declared.get(`GET ${path}`))
    }
  }
  assert.deepEqual(found, DECLARED)
})

test('a route that declares nothing can not be added', async (t) => {
  const { app } = await openServer(t)
  const refusal = /The route GET \/new does not declare its access/
  assert.throws(() => app.get('/new', async () => 'x'), refusal)
  assert.throws(() => app.get('/new', { config: {} }, async () => 'x'), refusal)
})

test('with READ_ACCESS=keys nothing is read without the right key, and everything with it', async (t) => {
  const server = await withMessage(t)
  const wrong: Record<string, string>[] = [
    {},
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: `Bearer ${API_KEY}x` },
    { authorization: `Bearer ${API_KEY.slice(1)}` },
    { authorization: `Bearer ${API_KEY.toUpperCase()}` },
    { authorization: `Bearer ${API_KEY} x` },
    { authorization: `Bearer  ${API_KEY}` },
    { authorization: `Bearer reader:${API_KEY}` },
    { authorization: 'Bearer reader' },
    { authorization: API_KEY },
    { authorization: `Token ${API_KEY}` },
    { authorization: `Basic ${Buffer.from(`reader:${API_KEY}`).toString('base64')}` },
    { authorization: `Bearer ${'x'.repeat(8000)}` },
    { 'x-api-key': API_KEY, cookie: `key=${API_KEY}`, 'proxy-authorization': `Bearer ${API_KEY}` },
  ]
  for (const [name] of READS) {
    const url = urlOf(name.slice(4))
    for (const headers of wrong) {
      const answer = await get(server, url, headers)
      assert.equal(answer.statusCode, 401, `${name} ${JSON.stringify(headers)}`)
      assert.equal(answer.body, REFUSED)
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
    }
    assert.equal(
      (await get(server, `${url}?key=${API_KEY}&access_token=${API_KEY}`)).statusCode,
      401,
    )
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const answer = await get(server, url, { authorization: `${scheme} ${API_KEY}` })
      assert.equal(answer.statusCode, 200, name)
    }
  }
})

test('each of several keys opens, by its key and not by its name', async (t) => {
  const server = await openServer(t, { environment: { API_KEYS: 'one:key-1, two:key:2' } })
  for (const key of ['key-1', 'key:2']) {
    assert.equal((await server.get('/stats', { authorization: `Bearer ${key}` })).statusCode, 200)
  }
  for (const key of ['one', 'two', 'key', 'one:key-1', 'key-1,key:2', API_KEY]) {
    assert.equal((await server.get('/stats', { authorization: `Bearer ${key}` })).statusCode, 401)
  }
})

test('public routes need no key in any mode', async (t) => {
  for (const READ_ACCESS of ['keys', 'local', 'open']) {
    const server = await openServer(t, { environment: { READ_ACCESS } })
    const remote = { remoteAddress: '203.0.113.9', headers: { host: 'example.org' } }
    for (const url of ['/health/live', '/health/ready']) {
      const answer = await askReady(() => server.app.inject({ url, ...remote }))
      assert.equal(answer.statusCode, 200)
    }
    assert.equal((await server.post(flatBody())).statusCode, 200)
  }
})

test('with READ_ACCESS=open everybody reads, from anywhere', async (t) => {
  const server = await withMessage(t, { READ_ACCESS: 'open' })
  const remote = { remoteAddress: '203.0.113.9', headers: { host: 'x', forwarded: 'for=1.2.3.4' } }
  for (const [name] of READS) {
    const answer = await server.app.inject({ url: urlOf(name.slice(4)), ...remote })
    assert.equal(answer.statusCode, 200, name)
  }
})

test('with READ_ACCESS=local this machine reads without a key', async (t) => {
  const server = await withMessage(t, { READ_ACCESS: 'local' })
  for (const [name] of READS) {
    assert.equal((await get(server, urlOf(name.slice(4)))).statusCode, 200, name)
  }
  for (const host of ['localhost', 'LocalHost:8000', '127.0.0.1', '127.0.0.1:80', '[::1]:8000']) {
    assert.equal((await get(server, '/stats', { host })).statusCode, 200, host)
  }
  for (const remoteAddress of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
    assert.equal((await server.app.inject({ url: '/stats', remoteAddress })).statusCode, 200)
  }
  for (const site of ['none', 'same-origin']) {
    assert.equal((await get(server, '/stats', { 'sec-fetch-site': site })).statusCode, 200)
  }
  const port = await server.listen()
  const connection = new RawConnection(port)
  connection.send('GET /messages HTTP/1.1\r\nHost: localhost:8000\r\n\r\n')
  assert.match((await connection.answer()).body, new RegExp(CANARY.text))
  await connection.close()
})

test('with READ_ACCESS=local whatever a proxy adds takes a key', async (t) => {
  const server = await withMessage(t, { READ_ACCESS: 'local' })
  const added = [
    ...[
      'forwarded',
      'via',
      'x-real-ip',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
    ],
    ...['x-forwarded-port', 'x-forwarded-server', 'x-forwarded-prefix', 'x-forwarded-client-cert'],
    ...['cf-connecting-ip', 'cf-ray', 'cf-ipcountry', 'cf-visitor', 'X-FORWARDED-FOR', 'CF-Ray'],
  ]
  const key = { authorization: `Bearer ${API_KEY}` }
  for (const name of added) {
    for (const value of ['127.0.0.1', 'localhost', '']) {
      const headers = { [name]: value }
      assert.equal((await get(server, '/messages', headers)).statusCode, 401, `${name}: ${value}`)
      assert.equal((await get(server, '/messages', { ...headers, ...key })).statusCode, 200)
    }
  }
})

test('with READ_ACCESS=local a foreign peer, name or page takes a key', async (t) => {
  const server = await withMessage(t, { READ_ACCESS: 'local' })
  const hosts = [
    ...['example.org', 'localhost.example.org', '127.0.0.1.example.org', 'localhost.', 'local'],
    ...['10.0.0.1', '0.0.0.0', '[::]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '127.1'],
    ...['localhost:80:80', 'localhost@example.org', 'example.org#localhost', 'xlocalhost'],
    ...['128.0.0.1', 'localhost, example.org', '１２７.0.0.1', '127.0.0.256'],
  ]
  for (const host of hosts) {
    assert.equal((await get(server, '/messages', { host })).statusCode, 401, host)
  }
  const peers = ['203.0.113.9', '10.0.0.1', '192.168.0.1', '172.17.0.1', '::2', 'fe80::1']
  for (const remoteAddress of [
    ...peers,
    '::ffff:10.0.0.1',
    '128.0.0.1',
    '12.7.0.0',
    '::127.0.0.1',
  ]) {
    const { statusCode } = await server.app.inject({ url: '/messages', remoteAddress })
    assert.equal(statusCode, 401, remoteAddress)
  }
  for (const site of ['cross-site', 'same-site', 'Cross-Site', '']) {
    const { statusCode } = await get(server, '/stats', { 'sec-fetch-site': site })
    assert.equal(statusCode, 401, `site "${site}"`)
  }
  const connection = new RawConnection(await server.listen())
  connection.send('GET /messages HTTP/1.1\r\nHost:\r\n\r\n')
  assert.equal((await connection.answer()).status, 401)
  await connection.close()
})

test('with READ_ACCESS=local HTTP/1.0, which a stock proxy speaks, takes a key', async (t) => {
  const server = await withMessage(t, { READ_ACCESS: 'local' })
  const port = await server.listen()
  const request = 'GET /messages HTTP/1.0\r\nHost: localhost\r\n'
  assert.equal((await lastAnswer(port, `${request}\r\n`)).status, 401)
  const answer = await lastAnswer(port, `${request}Authorization: Bearer ${API_KEY}\r\n\r\n`)
  assert.equal(answer.status, 200)
})

test('no refused answer tells anything of a message, however the path is spelled', async (t) => {
  const server = await withMessage(t)
  await server.app.ready()
  const spellings = (path: string) => [
    path,
    `${path}?limit=100`,
    `${path}/`,
    `/${path}`,
    `${path}//`,
    `/.${path}`,
    `/x/..${path}`,
    path.toUpperCase(),
    path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    path.replace(/.$/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    `${path}%00`,
    `${path}%20`,
    `${path};a=b`,
    `${path}.json`,
  ]
  const canaries = [...Object.values(CANARY), encodeURIComponent(CANARY.from), ID]
  for (const { path, methods } of routesOf(server.app)) {
    for (const url of spellings(urlOf(path))) {
      for (const method of methods as Method[]) {
        for (const authorization of ['', 'Bearer wrong']) {
          const answer = await server.app.inject({ method, url, headers: { authorization } })
          const told = JSON.stringify([answer.body, answer.headers])
          for (const canary of canaries) assert.equal(told.includes(canary), false, url)
        }
      }
    }
  }
})
