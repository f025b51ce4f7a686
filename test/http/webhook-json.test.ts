import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { anyCharacter } from '../support/any-character.ts'
import { openServer } from '../support/http-server.ts'
import { flatBody } from '../support/signed.ts'

const server = await openServer({ after })

/** A valid message with one more field, whose value is these characters. */
function withField(value: string): string {
  return `${JSON.stringify(flatBody()).slice(0, -1)},"extra":${value}}`
}

async function statusOf(body: string | Uint8Array): Promise<number> {
  return (await server.post(body)).statusCode
}

test('all that JSON allows is taken', async () => {
  const values = [
    ...['0', '-0', '1', '-1', '123e65', '1E+2', '1e-2', '0.1e1', '20e1', '1.5', '-0.000001'],
    ...['1e400', '-1e400', '123456789012345678901234567890', '1e-400'],
    ...['true', 'false', 'null', '[]', '[[]]', '[1,[2],{"a":[]}]', '{}', '[ ]', '{ }'],
    ...['""', '"\\u0060\\u012a\\u12AB"', '"\\uD801\\udc37"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"'],
    ...['"\\u0000"', '"\\u0022"', '"\u007f"', '"\u2028\u2029"', '"é😀"', '"\\uFFFE\\uFDD0"'],
    ...['{"a":1,"a":2}', '{"":0}', '{"a\\u0000b":1}', '{"__proto__":{"text":1}}', '"\ufeff"'],
    ...[' \t\r\n1 \t\r\n', '{"constructor":{"prototype":1}}', `"${'\\'.repeat(2000)}"`],
  ]
  for (const value of values) assert.equal(await statusOf(withField(value)), 200, value)
})

test('what JSON does not allow is 422 and never anything else', async () => {
  const values = [
    ...['', '01', '-01', '+1', '.1', '1.', '-.1', '1e', '1e+', '1eE2', '0x1', '1_000', '--1', '-'],
    ...['NaN', 'Infinity', '-Infinity', 'undefined', 'tru', 'TRUE', 'nul', 'None', '１'],
    ...['[1,]', '[,1]', '[,]', '[1 2]', '[1', '1]', '[', ']', '{', '{"a"', '{"a":', '{"a":1,}'],
    ...['{a:1}', "{'a':1}", '{"a" 1}', '{"a"::1}', '{1:1}', '{"a":1 "b":2}', '{,}', '[{}'],
    ...['"', '"\\"', '"\\', '"\\x00"', '"\\u00A"', '"\\u"', '"\\uZZZZ"', '"\\U0061"', '"\\a"'],
    ...['"\t"', '"\n"', '"\u0000"', '"\u001f"', "'a'", '`a`', 'a', '"a" "b"', '1 2'],
    ...['/* */1', '1 // one', '# one\n1', '\u000c1', '\u00a01', '\u20601', '<null>', '1;', '1}'],
    ...['"\\uD800"', '"\\uDFAA"', '"\\uD888\\u1234"', '"\\uDd1ea"', '{"\\uD800":1}', '["\\ud800"]'],
  ]
  for (const value of values) assert.equal(await statusOf(withField(value)), 422, value)
})

test('bytes that are no text in UTF-8 are 422', async () => {
  const valid = JSON.stringify(flatBody())
  const bodies = [
    Buffer.from(valid, 'utf16le'),
    Buffer.from(`\ufeff${valid}`, 'utf16le'),
    Buffer.from(`\ufeff${valid}`),
    Buffer.from(valid.replace('canary', '\xe9'), 'latin1'),
    ...[
      [0xff],
      [0xc0, 0x80],
      [0xe0, 0x80, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf0, 0x9f, 0x98],
      [0x81],
    ].map((bytes) =>
      Buffer.concat([Buffer.from('{"extra":"'), Buffer.from(bytes), Buffer.from('"}')]),
    ),
  ]
  for (const body of bodies) assert.equal(await statusOf(body), 422, body.toString('hex'))
})

test('an empty body, white space and a body cut anywhere are 422', async () => {
  const whole = JSON.stringify(flatBody())
  for (const body of ['', ' ', '\n', '\u0000', whole + whole, `${whole},`]) {
    assert.equal(await statusOf(body), 422, JSON.stringify(body))
  }
  for (let i = 1; i < whole.length; i += 7) assert.equal(await statusOf(whole.slice(0, i)), 422)
})

test('nesting of 64 levels is taken, of 65 and of 100,000 it is 422', async () => {
  // The message itself is the first level.
  const arrays = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  assert.equal(await statusOf(withField(arrays(63))), 200)
  assert.equal(await statusOf(withField(objects(63))), 200)
  assert.equal(await statusOf(withField(arrays(64))), 422)
  assert.equal(await statusOf(withField(objects(64))), 422)
  assert.equal(await statusOf(withField(arrays(100_000))), 422)
  assert.equal(await statusOf('['.repeat(100_000)), 422)
  assert.equal(await statusOf(withField(JSON.stringify('[{'.repeat(1000)))), 200)
})

test('a lone surrogate in any field is 422', async () => {
  for (const name of ['message_id', 'text']) {
    const body = JSON.stringify({ ...flatBody(), [name]: 'MARK' }).replace('MARK', '\\ud83d')
    assert.equal(await statusOf(body), 422)
  }
})

const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json(),
  fc
    .dictionary(
      fc.constantFrom('message_id', 'from', 'to', 'ts', 'text', '__proto__', 'extra'),
      fc.oneof(fc.jsonValue(), fc.string({ unit: anyCharacter })),
    )
    .map((fields) => JSON.stringify({ ...flatBody(), ...fields })),
  fc.tuple(fc.nat(200), fc.string({ unit: anyCharacter, maxLength: 3 })).map(([place, text]) => {
    const body = JSON.stringify(flatBody())
    return body.slice(0, place) + text + body.slice(place + text.length)
  }),
)

test('whatever is signed is either stored and answered 200, or 422 and not stored', async () => {
  const property = fc.asyncProperty(anyBody, async (body) => {
    const before = (await server.get('/stats')).json<{ total_messages: number }>().total_messages
    const answer = await server.post(body)
    const total = (await server.get('/stats')).json<{ total_messages: number }>().total_messages
    const [line] = server.log.where({ request_id: answer.headers['x-request-id'] })
    assert.ok(answer.statusCode === 200 || answer.statusCode === 422, String(answer.statusCode))
    assert.equal(total - before, line?.['result'] === 'created' ? 1 : 0)
  })
  await fc.assert(property, { numRuns: 200 })
})
