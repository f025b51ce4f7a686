import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { anyCharacter } from '../support/any-character.ts'
import { API_KEY, openServer } from '../support/http-server.ts'
import { RawConnection } from '../support/raw-http.ts'
import { CANARY, type FlatBody, flatBody } from '../support/signed.ts'

const server = await openServer({ after })
const port = await server.listen()

/** The fields by which every client has known a message from the first version on. */
function fiveOf({ message_id, from, to, ts, text }: FlatBody) {
  return { message_id, from, to, ts, text }
}

async function foundAgain(messageId: string): Promise<void> {
  const body = flatBody({ message_id: messageId })
  assert.equal((await server.post(body)).statusCode, 200)
  const answer = await server.get(`/messages/${encodeURIComponent(messageId)}`)
  assert.equal(answer.statusCode, 200, messageId)
  assert.deepEqual(fiveOf(answer.json()), body)
}

test('one message is shown with exactly these fields', async () => {
  const body = flatBody({
    message_id: 'wamid.HBgLMTQxNTU1NTAxMDA=',
    ts: '2025-01-15T10:00:00.120Z',
  })
  await server.post(body)
  const answer = await server.get('/messages/wamid.HBgLMTQxNTU1NTAxMDA=')
  assert.equal(answer.statusCode, 200)
  const { received_at: receivedAt, ...shown } = answer.json<Record<string, unknown>>()
  assert.ok(Math.abs(Date.now() - Date.parse(String(receivedAt))) < 60_000)
  assert.deepEqual(shown, {
    message_id: 'wamid.HBgLMTQxNTU1NTAxMDA=',
    from: CANARY.from,
    to: CANARY.to,
    ts: '2025-01-15T10:00:00.120Z',
    text: CANARY.text,
    type: 'text',
    direction: 'inbound',
    contact: {
      key: CANARY.from,
      phone: CANARY.from,
      user_id: null,
      parent_user_id: null,
      username: null,
      name: null,
    },
    status: null,
    media: null,
    context: null,
    content: null,
    business_phone_number_id: null,
    provider: 'flat',
    namespace: '',
    edited: false,
    revoked: false,
    stale: true,
    seq: 1,
    original_text: CANARY.text,
    statuses: [],
    edits: [],
    revocation: null,
    reactions: [],
    shortened: [],
  })
})

test('an id that no message has is 404', async () => {
  for (const id of ['unknown', '', '%00', '%20', '..%2f..%2fetc%2fpasswd', 'x'.repeat(3000)]) {
    const answer = await server.get(`/messages/${id}`)
    assert.equal(answer.statusCode, 404, id)
    assert.equal(answer.body, '{"detail":"No message has this id."}')
  }
})

test('an id longer than any message can have is 404 as well', async () => {
  for (const id of ['x'.repeat(4000), '%F0%9F%98%80'.repeat(1000)]) {
    const answer = await server.get(`/messages/${id}`)
    assert.equal(answer.statusCode, 404)
    assert.equal(answer.body, '{"detail":"No message has this id."}')
  }
})

test('an id with slashes, percent signs, question marks and the like is found', async () => {
  const ids = [
    ...['a/b', '/', '//', 'a/../b', './a', 'a%2Fb', '%', '%%', '%25', '100%', '%zz'],
    ...['a?b=c', 'a#b', 'a b', ' ', 'a+b', 'a&b=c', ';x=1', ':message_id', '*', '\\', '"', "'"],
    ...[
      '\n',
      '\t',
      '\u007f',
      '\ufeff',
      '\u2028',
      '\ufffd',
      '\uffff',
      'é',
      'e\u0301',
      'İ',
      '日本語',
    ],
    ...['stats', 'null', '__proto__', 'constructor', 'A', 'a', "'; drop table messages; --"],
  ]
  for (const id of ids) await foundAgain(id)
})

test('an id of dots is found by those who send it as it is', async () => {
  // Most clients take them for steps through a hierarchy, percent-encoded or not.
  const connection = new RawConnection(port)
  for (const id of ['.', '..']) {
    await server.post(flatBody({ message_id: id }))
    connection.send(
      `GET /messages/${id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${API_KEY}\r\n\r\n`,
    )
    const answer = await connection.answer()
    assert.equal((JSON.parse(answer.body) as { message_id: string }).message_id, id)
  }
  await connection.close()
})

test('ids that only look alike are different messages', async () => {
  for (const id of ['Å', 'A\u030a', '\u212b', 'ß', 'ss', 'SS', 'x', 'x ', 'X']) await foundAgain(id)
})

test('an id of 255 code points beyond the basic plane is found', async () => {
  await foundAgain('😀'.repeat(255))
  await foundAgain('\u{10ffff}'.repeat(255))
  await foundAgain('€'.repeat(255))
})

test('every id that can be stored is found', async () => {
  const anId = fc
    .string({ unit: anyCharacter, minLength: 1, maxLength: 255 })
    .filter((id) => !id.includes('\u0000') && id !== '.' && id !== '..')
  await fc.assert(fc.asyncProperty(anId, foundAgain), { numRuns: 60 })
})

test('a path that is not percent-encoded UTF-8 is 400, and the connection closed', async () => {
  for (const id of ['%zz', '%', '%f', '%ff', '%c3%28', '%ed%a0%80', '%F0%9F%98']) {
    const connection = new RawConnection(port)
    connection.send(`GET /messages/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    const answer = await connection.answer()
    assert.equal(answer.status, 400, id)
    assert.equal(answer.body, '{"detail":"The path is not valid percent-encoded UTF-8."}')
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    await connection.closed
  }
})
