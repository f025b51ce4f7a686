import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Problem } from '../../src/app/errors.ts'
import { openServer } from '../support/http-server.ts'
import { CANARY, flatBody } from '../support/signed.ts'

const server = await openServer({ after })

async function problemsOf(body: object | string): Promise<readonly Problem[]> {
  const answer = await server.post(body)
  assert.equal(answer.statusCode, 422, JSON.stringify(body))
  return answer.json<{ detail: Problem[] }>().detail
}

const at = (name: string, msg: string, type: string): Problem => ({
  loc: ['body', name],
  msg,
  type,
})
const missing = (name: string) => at(name, 'Field required', 'missing')
const notText = (name: string) => at(name, 'Input should be a valid string', 'string_type')

test('every missing field is named, in the shape FastAPI gives it', async () => {
  assert.deepEqual(await problemsOf({}), [
    missing('message_id'),
    missing('from'),
    missing('to'),
    missing('ts'),
  ])
  assert.deepEqual(await problemsOf({ ...flatBody(), from: undefined }), [missing('from')])
})

test('every field of another type is named', async () => {
  for (const value of [1, true, {}, [], ['+14155550100']]) {
    assert.deepEqual(
      await problemsOf({ message_id: value, from: value, to: value, ts: value, text: value }),
      [notText('message_id'), notText('from'), notText('to'), notText('ts'), notText('text')],
    )
  }
  assert.deepEqual(await problemsOf({ ...flatBody(), message_id: null }), [notText('message_id')])
})

test('a body that is no object is named as such', async () => {
  for (const body of ['[]', '"text"', '1', 'null', 'true', `[${JSON.stringify(flatBody())}]`]) {
    assert.deepEqual(await problemsOf(body), [
      { loc: ['body'], msg: 'Input should be a JSON object', type: 'model_attributes_type' },
    ])
  }
})

test('fields that only a prototype would lend are missing', async () => {
  const [first] = await problemsOf(`{"__proto__": ${JSON.stringify(flatBody())}}`)
  assert.deepEqual(first, missing('message_id'))
  assert.equal(Object.hasOwn(Object.prototype, 'message_id'), false)
})

test('an id has 1 to 255 code points', async () => {
  for (const id of ['', 'x'.repeat(256), '😀'.repeat(256), 'x'.repeat(100_000), 'a\u0000b']) {
    const [problem] = await problemsOf(flatBody({ message_id: id }))
    assert.deepEqual(problem?.loc, ['body', 'message_id'])
  }
  for (const id of ['x', ' ', 'y'.repeat(255), '😀'.repeat(255), "'; drop table messages; --"]) {
    assert.equal((await server.post(flatBody({ message_id: id }))).statusCode, 200)
  }
})

test('a phone number is a plus sign and 2 to 15 ASCII digits, the first not 0', async () => {
  const wrong = [
    '',
    '+',
    '+1',
    '+0123456',
    `+${'1'.repeat(16)}`,
    '14155550100',
    '+14155550100\n',
    '\n+14155550100',
    ' +14155550100',
    '+14155550100 ',
    '+1 4155550100',
    '+1-415-555-0100',
    '++14155550100',
    '+1415555010a',
    '+١٤١٥٥٥٥٠١٠٠',
    '+１４１５５５５０１００',
    '＋14155550100',
    '-14155550100',
    '+1e10',
    'whatsapp:+14155550100',
  ]
  for (const number of wrong) {
    for (const name of ['from', 'to']) {
      const [problem, ...others] = await problemsOf({ ...flatBody(), [name]: number })
      assert.deepEqual(problem?.loc, ['body', name], JSON.stringify(number))
      assert.equal(problem?.type, 'string_pattern_mismatch')
      assert.equal(others.length, 0)
    }
  }
  for (const number of ['+12', `+${'9'.repeat(15)}`]) {
    assert.equal((await server.post(flatBody({ from: number, to: number }))).statusCode, 200)
  }
})

test('a timestamp is an existing date and time in UTC, with T, seconds and Z', async () => {
  const wrong = [
    '',
    '2025-01-15',
    '2025-01-15T10:00Z',
    '2025-01-15T10:00:00',
    '2025-01-15 10:00:00Z',
    '2025-01-15t10:00:00z',
    '2025-01-15T10:00:00+00:00',
    '2025-01-15T10:00:00Z\n',
    ' 2025-01-15T10:00:00Z',
    '2025-02-30T10:00:00Z',
    '2025-02-29T10:00:00Z',
    '1900-02-29T10:00:00Z',
    '2025-04-31T10:00:00Z',
    '2025-13-01T10:00:00Z',
    '2025-00-10T10:00:00Z',
    '2025-01-00T10:00:00Z',
    '0000-01-01T00:00:00Z',
    '2025-01-15T24:00:00Z',
    '2025-01-15T25:00:00Z',
    '2025-01-15T10:60:00Z',
    '2025-01-15T10:00:60Z',
    '2025-01-15T10:00:00.Z',
    '2025-01-15T10:00:00,5Z',
    '+02025-01-15T10:00:00Z',
    '２０２５-01-15T10:00:00Z',
    '1736935200',
  ]
  for (const ts of wrong) {
    const [problem, ...others] = await problemsOf(flatBody({ ts }))
    assert.deepEqual(problem?.loc, ['body', 'ts'], JSON.stringify(ts))
    assert.equal(problem?.type, 'datetime_parsing')
    assert.equal(others.length, 0)
  }
  const right = ['2024-02-29T23:59:59Z', '2000-02-29T00:00:00.5Z', '9999-12-31T23:59:59.999999Z']
  for (const ts of right) {
    const body = flatBody({ ts })
    assert.equal((await server.post(body)).statusCode, 200, ts)
    const stored = await server.get(`/messages/${body.message_id}`)
    assert.equal(stored.json<{ ts: string }>().ts, ts)
  }
})

test('a text has at most 4096 code points: 4096 emoji pass, one more does not', async () => {
  for (const text of ['a'.repeat(4096), '😀'.repeat(4096)]) {
    assert.equal((await server.post(flatBody({ text }))).statusCode, 200)
    const tooLong = await problemsOf(flatBody({ text: `${text}!` }))
    assert.deepEqual(tooLong, [
      at('text', 'String should have at most 4096 characters', 'string_too_long'),
    ])
  }
})

test('a refused body is not stored, not quoted, and counted', async () => {
  const answer = await server.post(flatBody({ ts: 'then', from: '+4915177777' }))
  assert.equal(answer.statusCode, 422)
  assert.equal(answer.body.includes(CANARY.text), false)
  assert.equal(answer.body.includes('+4915177777'), false)
  const list = await server.get('/messages?from=%2B4915177777')
  assert.equal(list.json<{ total: number }>().total, 0)
  const [line] = server.log.where({ request_id: answer.headers['x-request-id'] })
  assert.equal(line?.['result'], 'validation_error')
})
