import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APP_SECRET, aText, batch, change, signedBatch } from '../support/cloud-api.ts'
import { API_KEY, openServer, type TestServer } from '../support/http-server.ts'
import { lastAnswer } from '../support/raw-http.ts'
import { CANARY, flatBody, SECRET, signature } from '../support/signed.ts'

const lineOf = (server: TestServer, { headers }: { headers: Record<string, unknown> }) => {
  const lines = server.log.where({ request_id: headers['x-request-id'] })
  assert.equal(lines.length, 1)
  return lines[0] ?? {}
}

test('a request is one line with exactly these fields', async (t) => {
  const server = await openServer(t)
  const line = lineOf(server, await server.get('/messages?limit=1', { 'x-request-id': 'mine' }))
  const { ts, latency_ms, ...others } = line
  assert.deepEqual(others, {
    level: 'info',
    request_id: 'mine',
    method: 'GET',
    path: '/messages',
    status: 200,
  })
  assert.match(String(ts), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.ok(typeof latency_ms === 'number' && latency_ms >= 0)
})

test('a line never says whose conversation was read', async (t) => {
  const server = await openServer(t)
  for (const [url, path] of [
    ['/conversations/+14155550100/messages', '/conversations/{contact}/messages'],
    ['/%63onversations/%2B14155550100/messages', '/conversations/{contact}/messages'],
    ['/conversations/+14155550100/', '/conversations/…/'],
    ['/conversations/some.name', '/conversations/…'],
    ['/Conversations/some.name/messages', '/…/…/messages'],
    ['/v1/conversations/some.name/messages', '/…/conversations/…/messages'],
    ['//conversations/+14155550100/messages', '//conversations/…/messages'],
    ['/conversations%2F+14155550100', '/…'],
    ['/conversations', '/conversations'],
  ] as const) {
    assert.equal(lineOf(server, await server.get(url))['path'], path)
  }
})

test('a line never says a phone number that stands where an id does', async (t) => {
  const server = await openServer(t)
  for (const [url, path] of [
    ['/messages/+14155550100', '/messages/+…'],
    ['/messages/%2B14155550100', '/messages/%2B…'],
    ['/messages/order-14155550100', '/messages/order-14155550100'],
  ] as const) {
    assert.equal(lineOf(server, await server.get(url))['path'], path)
  }
  const stored = await server.post(flatBody({ message_id: 'of +14155550100' }))
  assert.equal(lineOf(server, stored)['message_id'], 'of +…')
})

test('a line never says the phone number in the id that WhatsApp gives a message', async (t) => {
  const server = await openServer(t, { environment: { META_APP_SECRET: APP_SECRET } })
  const wamid = (number: string) => {
    const bytes = `\x1c\x18\x0b${number}\x15\x02\x00\x12\x18\x143A4A6599AEE03810144F\x00`
    return `wamid.${Buffer.from(bytes, 'latin1').toString('base64')}`
  }
  const id = wamid('14155550100')
  const shown = `wamid.…${id.slice(-16)}`
  const post = (body: string) =>
    server.app.inject(signedBatch(batch(change({ messages: [aText({ id, text: { body } })] }))))
  const stored = await post('once')
  const conflicting = await post('another')
  for (const { headers } of [stored, conflicting]) {
    const lines = server.log.where({ request_id: headers['x-request-id'] })
    assert.ok(lines.every((line) => line['message_id'] === shown))
    assert.equal(lines.length, headers === stored.headers ? 1 : 2)
  }
  const cutInside = `${'a'.repeat(512 - '/messages/'.length - 27)}/${id}`
  for (const path of [id, encodeURIComponent(id), `${id}/more`, cutInside]) {
    await server.get(`/messages/${path}`)
  }
  assert.equal(lineOf(server, await server.get(`/messages/${id}`))['path'], `/messages/${shown}`)
  server.log.assertFreeOf([id, encodeURIComponent(id), id.slice(10, 22)])
})

test('a webhook line adds the id, whether it was a duplicate, and the result', async (t) => {
  const server = await openServer(t)
  const body = flatBody()
  for (const [dup, result] of [
    [false, 'created'],
    [true, 'duplicate'],
  ]) {
    const {
      ts: _,
      latency_ms: __,
      request_id: ___,
      ...others
    } = lineOf(server, await server.post(body))
    assert.deepEqual(others, {
      level: 'info',
      method: 'POST',
      path: '/webhook',
      status: 200,
      message_id: body.message_id,
      dup,
      result,
    })
  }
})

test('the level follows from what became of the request', async (t) => {
  const server = await openServer(t, { environment: { MAX_BODY_BYTES: '1000' } })
  const shut = await openServer(t, { environment: { WEBHOOK_SECRET: '' } })
  const broken = await openServer(t, {
    store: () => ({ stats: () => Promise.reject(new Error()) }),
  })
  const expected = [
    [server, await server.get('/stats'), 'info'],
    [server, await server.get('/nowhere'), 'info'],
    [server, await server.get('/messages?limit=0'), 'info'],
    [server, await server.post('x'), 'info'],
    [server, await server.post('x'.repeat(1001)), 'info'],
    [server, await server.app.inject('/stats'), 'info'],
    [server, await server.post(flatBody(), { secret: 'another' }), 'error'],
    [shut, await shut.post(flatBody()), 'warn'],
  ] as const
  for (const [where, answer, level] of expected) {
    assert.equal(lineOf(where, answer)['level'], level, String(answer.statusCode))
  }
  const { headers } = await broken.get('/stats')
  const lines = broken.log.where({ request_id: headers['x-request-id'] })
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['error', 'error'],
  )
})

test('a refused signature says its cause where the headers alone tell it', async (t) => {
  const server = await openServer(t)
  const causeOf = async (headers: Record<string, string>) => {
    const refused = { method: 'POST', url: '/webhook', payload: '{}', headers } as const
    const line = lineOf(server, await server.app.inject(refused))
    assert.equal(line['result'], 'invalid_signature')
    return line['cause']
  }
  assert.equal(await causeOf({}), 'header_missing')
  assert.equal(await causeOf({ 'x-signature': CANARY.text }), 'header_malformed')
  assert.equal(await causeOf({ 'x-twilio-signature': CANARY.text }), 'other_provider')
  assert.equal(await causeOf({ 'x-signature': signature('{}', 'another') }), undefined)
})

test('the result says what became of a webhook request', async (t) => {
  const server = await openServer(t, { environment: { MAX_BODY_BYTES: '1000' } })
  const shut = await openServer(t, { environment: { WEBHOOK_SECRET: '' } })
  const resultOf = async (where: TestServer, ...how: Parameters<TestServer['post']>) =>
    lineOf(where, await where.post(...how))['result']
  assert.equal(await resultOf(server, flatBody(), { secret: 'another' }), 'invalid_signature')
  assert.equal(await resultOf(server, 'x'), 'validation_error')
  assert.equal(
    await resultOf(server, 'x', { headers: { 'content-encoding': 'br' } }),
    'validation_error',
  )
  assert.equal(await resultOf(server, 'x'.repeat(1001)), 'rejected')
  assert.equal(await resultOf(shut, flatBody()), 'rejected')
})

test('a query is never logged, nor what else a target may carry', async (t) => {
  const server = await openServer(t, { environment: { READ_ACCESS: 'open' } })
  const port = await server.listen()
  const targets = [
    `/messages?from=${encodeURIComponent(CANARY.from)}&q=${CANARY.text}`,
    `/messages?${CANARY.text}`,
    `/nowhere?q=${CANARY.text}`,
    `/%zz?q=${CANARY.text}`,
    `/health/live?key=${API_KEY}`,
    `/messages#${CANARY.text}`,
    `http://${CANARY.text}@localhost/messages?q=${CANARY.text}`,
  ]
  for (const target of targets) {
    await lastAnswer(port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  }
  assert.equal(server.log.where({ method: 'GET' }).length, targets.length)
  server.log.assertFreeOf([CANARY.text, encodeURIComponent(CANARY.from), API_KEY])
})

test('a path is cut, so that no line grows with what somebody sends', async (t) => {
  const server = await openServer(t)
  const line = lineOf(server, await server.get(`/messages/${'x'.repeat(15_000)}`))
  assert.equal(String(line['path']).length, 512)
  const unknown = lineOf(server, await server.get('/x'.repeat(7000)))
  assert.equal(unknown['path'], '/…'.repeat(11))
})

test('one line stays one line, whatever is in the path and the id', async (t) => {
  const server = await openServer(t)
  const id = 'a\r\nb\u001b[31m\u2028"}{"level":"error"'
  const line = lineOf(server, await server.post(flatBody({ message_id: id })))
  assert.equal(line['message_id'], id.replace('\u2028', '\ufffd'))
  const acted = lineOf(server, await server.post(flatBody({ message_id: 'c\u009b31m\u202ed' })))
  assert.equal(acted['message_id'], 'c\ufffd31m\ufffdd')
  const read = lineOf(server, await server.get(`/messages/${encodeURIComponent(id)}`))
  assert.equal(read['path'], `/messages/${encodeURIComponent(id)}`)
})

test('a path that can not be decoded is logged like one that is no route', async (t) => {
  const server = await openServer(t)
  const port = await server.listen()
  await lastAnswer(
    port,
    'GET /messages/%zz HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: mine\r\n\r\n',
  )
  const [line] = server.log.where({ request_id: 'mine' })
  assert.equal(line?.['path'], '/messages/…')
  assert.equal(line?.['status'], 400)
})

test('a flood of refused requests is ten lines a second, and the next one says how many were left out', async (t) => {
  const server = await openServer(t)
  await server.app.ready()
  let nowMs = 5000
  t.mock.method(performance, 'now', () => nowMs)
  for (let i = 0; i < 150; i++) {
    await server.post(flatBody(), { secret: 'another' })
    await server.app.inject('/messages')
  }
  assert.equal(server.log.where({ status: 401 }).length, 10)
  await server.get('/stats')
  assert.equal(server.log.where({ path: '/stats' }).length, 1)
  nowMs = 6000
  await server.post(flatBody(), { secret: 'another' })
  assert.equal(server.log.where({ status: 401 }).at(-1)?.['suppressed'], 290)
  await server.post(flatBody(), { secret: 'another' })
  assert.equal(server.log.where({ status: 401 }).at(-1)?.['suppressed'], undefined)
  const { body } = await server.get('/metrics')
  assert.match(body, /^webhook_requests_total\{result="invalid_signature"\} 152$/m)
})

test('a flood of what anybody can ask is ten lines a second of each kind', async (t) => {
  const server = await openServer(t, { environment: { META_VERIFY_TOKEN: 'a-token' } })
  await server.app.ready()
  t.mock.method(performance, 'now', () => 5000)
  const kinds = [
    ['GET', '/nowhere', 404],
    ['GET', '/webhook?hub.mode=subscribe', 403],
    ['DELETE', '/webhook', 405],
    ['GET', '/messages/%ff', 400],
    ['GET', '/health/live', 200],
    ['HEAD', '/health/live', 200],
  ] as const
  for (let i = 0; i < 30; i++) {
    for (const [method, url] of kinds) await server.app.inject({ method, url })
  }
  for (const [, , status] of kinds) assert.equal(server.log.where({ status }).length, 10)
  for (let i = 0; i < 30; i++) assert.equal((await server.get('/stats')).statusCode, 200)
  assert.equal(server.log.where({ path: '/stats' }).length, 30)
})

test('a flood of requests that can not be taken now is ten lines a second, beside those of other refusals', async (t) => {
  const server = await openServer(t, { environment: { WEBHOOK_SECRET: '' } })
  await server.app.ready()
  let nowMs = 5000
  t.mock.method(performance, 'now', () => nowMs)
  for (let i = 0; i < 30; i++) await server.post(flatBody())
  await server.app.inject('/messages')
  assert.equal(server.log.where({ status: 503 }).length, 10)
  assert.equal(server.log.where({ status: 401 }).length, 1)
  nowMs = 6000
  await server.post(flatBody())
  assert.equal(server.log.where({ status: 503 }).at(-1)?.['suppressed'], 20)
  const { body } = await server.get('/metrics')
  assert.match(body, /^webhook_requests_total\{result="rejected"\} 31$/m)
})

test('no line of a whole run tells a secret, a key, a text or a number', async (t) => {
  const server = await openServer(t, {
    environment: { WEBHOOK_SECRET: `${SECRET},second-${SECRET}` },
  })
  const port = await server.listen()
  const body = flatBody()
  await server.post(body)
  await server.post(body)
  await server.post({ ...body, text: `${CANARY.text} again` })
  await server.post({ ...body, from: `${CANARY.from}x`, ts: CANARY.text })
  await server.post(`{"text": ${CANARY.text}`)
  await server.post(body, { secret: `third-${SECRET}` })
  await server.post(body, { headers: { 'x-request-id': CANARY.text.repeat(10) } })
  await server.get(`/messages?q=${CANARY.text}&since=${CANARY.text}&cursor=${CANARY.text}`)
  await server.get('/messages', { authorization: `Bearer ${API_KEY}x` })
  await server.get('/messages', { authorization: `Basic ${API_KEY}` })
  await server.get(`/messages?key=${API_KEY}`, { cookie: API_KEY, referer: CANARY.text })
  await lastAnswer(port, `GET /${CANARY.text} ${CANARY.text}\r\n\r\n`)
  await lastAnswer(port, `GET / HTTP/1.1\r\nHost: a\r\n${CANARY.text}\r\n\r\n`)
  server.log.assertFreeOf([
    SECRET,
    API_KEY,
    signature(JSON.stringify(body)),
    ...Object.values(CANARY),
  ])
  assert.ok(server.log.entries.length >= 10)
})
