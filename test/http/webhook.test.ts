import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import type { Intake } from '../../src/app/model/event.ts'
import { openServer } from '../support/http-server.ts'
import { CANARY, flatBody, signed, toBytes } from '../support/signed.ts'

const inserted: Intake[] = []
const server = await openServer(
  { after },
  {
    store: (real) => ({
      insert: (batch) => {
        inserted.push(...batch)
        return real.insert(batch)
      },
    }),
  },
)

/** The body that brought a message. */
function bodyOf(messageId: string): Buffer {
  const isOf = ({ events: [event] }: Intake) =>
    event?.kind === 'message' && event.messageId === messageId
  return Buffer.from(inserted.find(isOf)?.body ?? [])
}

const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest('hex')

test('a signed message is answered 200 {"status":"ok"} and can be read at once', async () => {
  const body = flatBody()
  const answer = await server.post(body)
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.body, '{"status":"ok"}')
  assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  const shown = (await server.get(`/messages/${body.message_id}`)).json<object>()
  assert.partialDeepStrictEqual(shown, body)
})

test('the same message id twice is stored once, and both answers are 200', async () => {
  const body = flatBody({ from: '+4915112345' })
  for (const expected of ['created', 'duplicate', 'duplicate']) {
    const answer = await server.post(body)
    assert.equal(answer.body, '{"status":"ok"}')
    assert.equal(server.log.where({ message_id: body.message_id }).at(-1)?.['result'], expected)
  }
  const list = await server.get('/messages?from=%2B4915112345')
  assert.equal(list.json<{ total: number }>().total, 1)
})

test('fifty copies of one message at once are stored once, and all are answered 200', async () => {
  const body = flatBody({ from: '+4915112346' })
  const answers = await Promise.all(Array.from({ length: 50 }, () => server.post(body)))
  assert.deepEqual([...new Set(answers.map(({ statusCode }) => statusCode))], [200])
  const lines = server.log.where({ message_id: body.message_id })
  assert.equal(lines.filter(({ result }) => result === 'created').length, 1)
  assert.equal(lines.filter(({ dup }) => dup === true).length, 49)
  const list = await server.get('/messages?from=%2B4915112346')
  assert.equal(list.json<{ total: number }>().total, 1)
})

test('a duplicate with other content is a conflict: 200, logged by digests, the first one stays', async () => {
  const first = flatBody()
  const second = { ...first, text: `${CANARY.text}, but another` }
  await server.post(first)
  const answer = await server.post(second)
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.body, '{"status":"ok"}')
  const stored = await server.get(`/messages/${first.message_id}`)
  assert.equal(stored.json<{ text: string }>().text, first.text)
  const [line] = server.log.where({ message_id: first.message_id, level: 'warn' })
  assert.equal(line?.['stored_sha256'], sha256(toBytes(first)))
  assert.equal(line?.['received_sha256'], sha256(toBytes(second)))
  assert.equal(line?.['request_id'], answer.headers['x-request-id'])
  const metrics = await server.get('/metrics')
  assert.match(metrics.body, /^webhook_conflicts_total 1$/m)
})

test('a duplicate that only differs in its bytes is no conflict', async () => {
  const first = flatBody()
  await server.post(first)
  const answer = await server.post(JSON.stringify({ ...first, unknown: 1 }, null, 2))
  assert.equal(answer.statusCode, 200)
  assert.equal(server.log.where({ message_id: first.message_id, level: 'warn' }).length, 0)
})

test('U+0000 in a text is shown as U+FFFD, and the raw body keeps it', async () => {
  const body = flatBody({ text: `a\u0000b ${CANARY.text}` })
  assert.equal((await server.post(body)).statusCode, 200)
  const stored = await server.get(`/messages/${body.message_id}`)
  assert.equal(stored.json<{ text: string }>().text, `a\ufffdb ${CANARY.text}`)
  assert.deepEqual(bodyOf(body.message_id), toBytes(body))
})

test('unknown fields are ignored, and stay in the raw body byte for byte', async () => {
  const body = flatBody()
  const sent = Buffer.from(` ${JSON.stringify({ ...body, profile: { name: 'é' }, n: 1e3 })}\r\n`)
  assert.equal((await server.post(sent)).statusCode, 200)
  assert.deepEqual(bodyOf(body.message_id), sent)
  const stored = await server.get(`/messages/${body.message_id}`)
  assert.partialDeepStrictEqual(stored.json<object>(), body)
})

test('a message without a text and one with null are both shown with null', async () => {
  const { text: _, ...without } = flatBody()
  const withNull = flatBody({ text: null })
  for (const body of [without, withNull]) {
    assert.equal((await server.post(body)).statusCode, 200)
    const stored = await server.get(`/messages/${body.message_id}`)
    assert.equal(stored.json<{ text: unknown }>().text, null)
  }
})

test('an empty text stays an empty text', async () => {
  const body = flatBody({ text: '' })
  await server.post(body)
  const stored = await server.get(`/messages/${body.message_id}`)
  assert.equal(stored.json<{ text: unknown }>().text, '')
})

test('during a rotation each of the secrets signs, and only they', async (t) => {
  const rotating = await openServer(t, {
    environment: { WEBHOOK_SECRET: ' new-secret-of-the-rotation , old-secret-of-the-rotation,, ' },
  })
  for (const secret of ['new-secret-of-the-rotation', 'old-secret-of-the-rotation']) {
    assert.equal((await rotating.post(flatBody(), { secret })).statusCode, 200)
  }
  for (const secret of ['', ' ', 'new-secret-of-the-rotation , old-secret-of-the-rotation']) {
    assert.equal((await rotating.post(flatBody(), { secret })).statusCode, 401)
  }
})

test('every result is counted under its name', async (t) => {
  const counted = await openServer(t, { environment: { MAX_BODY_BYTES: '1000' } })
  const body = flatBody()
  await counted.post(body)
  await counted.post(body)
  await counted.post(body, { secret: 'another' })
  await counted.post({ ...body, from: 'nobody' })
  await counted.post(body, { headers: { 'content-encoding': 'gzip' } })
  await counted.post({ ...body, padding: 'x'.repeat(1000) })
  await counted.app.inject({ ...signed(body), method: 'PUT' })
  const { body: metrics } = await counted.get('/metrics')
  const results = metrics.split('\n').filter((line) => line.startsWith('webhook_requests_total{'))
  assert.deepEqual(results.sort(), [
    'webhook_requests_total{result="created"} 1',
    'webhook_requests_total{result="duplicate"} 1',
    'webhook_requests_total{result="invalid_signature"} 1',
    'webhook_requests_total{result="rejected"} 1',
    'webhook_requests_total{result="validation_error"} 2',
  ])
})
