import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseFlatMessage } from '../../../src/app/receive/flat.ts'
import { anyCharacter } from '../../support/any-character.ts'
import { isTaken, problemsOf } from '../../support/problems.ts'

const FIELDS = {
  message_id: 'm-1',
  from: '+4915112345678',
  to: '+14155550100',
  ts: '2025-01-15T10:00:00.50Z',
  text: 'Hello',
}

function parse(body: unknown) {
  return parseFlatMessage(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
}

/** The same message with other fields; undefined leaves one out. */
function message(fields: Record<string, unknown>) {
  return parse({ ...FIELDS, ...fields })
}

/** `field: type` of every problem. */
function refused(fields: Record<string, unknown>): readonly string[] {
  return problemsOf(() => message(fields)).map(({ loc, type }) => `${loc.join('.')}: ${type}`)
}

describe('parseFlatMessage', () => {
  it('gives the message with its instant, as one that came in from its sender', () => {
    const body = Buffer.from(` ${JSON.stringify(FIELDS)}\n`)
    assert.deepEqual(parseFlatMessage(body), {
      kind: 'message',
      messageId: 'm-1',
      from: '+4915112345678',
      to: '+14155550100',
      ts: '2025-01-15T10:00:00.50Z',
      instant: '2025-01-15T10:00:00.5',
      text: 'Hello',
      namespace: '',
      type: 'text',
      direction: 'inbound',
      contact: {
        phone: '+4915112345678',
        userId: null,
        parentUserId: null,
        username: null,
        name: null,
      },
      phoneNumberId: null,
      content: null,
    })
  })

  it('names every field that is missing, in the shape and order FastAPI gives them', () => {
    assert.equal(
      JSON.stringify(problemsOf(() => parse({}))),
      JSON.stringify(
        ['message_id', 'from', 'to', 'ts'].map((name) => ({
          loc: ['body', name],
          msg: 'Field required',
          type: 'missing',
        })),
      ),
    )
  })

  it('names every field that is wrong, in the shape and order FastAPI gives them', () => {
    const body = { text: 1, ts: 'now', to: '1', from: null, message_id: '' }
    assert.equal(
      JSON.stringify(problemsOf(() => parse(body))),
      '[' +
        '{"loc":["body","message_id"],"msg":"String should have at least 1 character","type":"string_too_short"},' +
        '{"loc":["body","from"],"msg":"Input should be a valid string","type":"string_type"},' +
        '{"loc":["body","to"],"msg":"String should be a phone number: \'+\', then 2 to 15 digits, the first not 0","type":"string_pattern_mismatch"},' +
        '{"loc":["body","ts"],"msg":"String should be an existing UTC date and time such as 2025-01-15T10:00:00Z","type":"datetime_parsing"},' +
        '{"loc":["body","text"],"msg":"Input should be a valid string","type":"string_type"}' +
        ']',
    )
  })

  for (const body of ['[]', '[{}]', 'null', '1', '"text"', 'true']) {
    it(`refuses ${body}, which is not an object`, () => {
      assert.equal(
        JSON.stringify(problemsOf(() => parse(body))),
        '[{"loc":["body"],"msg":"Input should be a JSON object","type":"model_attributes_type"}]',
      )
    })
  }

  for (const name of ['message_id', 'from', 'to', 'ts', 'text']) {
    for (const value of [1, true, [], ['+4915112345678'], {}]) {
      it(`refuses ${JSON.stringify(value)} as ${name}, which is not a string`, () => {
        assert.deepEqual(refused({ [name]: value }), [`body.${name}: string_type`])
      })
    }
  }

  for (const name of ['message_id', 'from', 'to', 'ts']) {
    it(`refuses null as ${name}`, () => {
      assert.deepEqual(refused({ [name]: null }), [`body.${name}: string_type`])
    })
  }

  it('takes a text that is null or not there for none, and an empty one for a text', () => {
    assert.equal(message({ text: null }).text, null)
    assert.equal(message({ text: undefined }).text, null)
    assert.equal(message({ text: '' }).text, '')
  })

  it('counts code points: 4096 in a text and 255 in an id, and not one more', () => {
    for (const character of ['a', 'é', '漢', '🎉', '\u0301']) {
      assert.equal(message({ text: character.repeat(4096) }).text, character.repeat(4096))
      assert.deepEqual(refused({ text: character.repeat(4097) }), ['body.text: string_too_long'])
      const longest = character.repeat(255)
      assert.equal(message({ message_id: longest }).messageId, longest)
      assert.deepEqual(refused({ message_id: character.repeat(256) }), [
        'body.message_id: string_too_long',
      ])
    }
    assert.ok(isTaken(() => message({ text: `${'🎉'.repeat(4095)}a` })))
    assert.deepEqual(refused({ text: `${'🎉'.repeat(4096)}a` }), ['body.text: string_too_long'])
  })

  it('says what the limit is', () => {
    const [problem] = problemsOf(() => message({ text: 'a'.repeat(4097) }))
    assert.equal(problem?.msg, 'String should have at most 4096 characters')
  })

  it('takes any id of 1 character and more, also a blank or one in another script', () => {
    for (const id of [
      '1',
      ' ',
      'wamid.HBgL==',
      'ид',
      '🎉',
      "'; drop table messages --",
      '__proto__',
    ]) {
      assert.equal(message({ message_id: id }).messageId, id)
    }
    assert.deepEqual(refused({ message_id: '' }), ['body.message_id: string_too_short'])
  })

  it('refuses U+0000 in an id, where a substitute could make two ids one', () => {
    assert.deepEqual(refused({ message_id: 'a\u0000b' }), [
      'body.message_id: string_pattern_mismatch',
    ])
  })

  it('shows U+0000 in a text as U+FFFD', () => {
    const { text } = message({ text: 'a\u0000b\u0000' })
    assert.equal(text, 'a\ufffdb\ufffd')
  })

  for (const number of ['+10', '+99', '+4915112345678', '+123456789012345']) {
    it(`takes ${number} as a phone number`, () => {
      assert.equal(message({ from: number }).from, number)
      assert.equal(message({ to: number }).to, number)
    })
  }

  for (const number of [
    '',
    '+',
    '+1',
    '+0123456',
    '+01',
    '+1234567890123456',
    '4915112345678',
    '004915112345678',
    ' +4915112345678',
    '+4915112345678 ',
    '+4915112345678\n',
    '+4915112345678\u0000',
    '\n+4915112345678',
    '+49 151 12345678',
    '+49-151-12345678',
    '++4915112345678',
    '+491511234567a',
    '+49151١٢٣٤',
    '＋4915112345678',
    '+４９１５１',
    'tel:+4915112345678',
    '+1e10',
    '+4915112345678\n+4915112345678',
  ]) {
    it(`refuses ${JSON.stringify(number)} as a phone number`, () => {
      assert.deepEqual(refused({ from: number, to: number }), [
        'body.from: string_pattern_mismatch',
        'body.to: string_pattern_mismatch',
      ])
    })
  }

  it('refuses a date that does not exist, and every form but UTC with seconds and Z', () => {
    for (const ts of ['2025-02-30T10:00:00Z', '2025-01-15T10:00:00+00:00', '2025-01-15', '', ' ']) {
      assert.deepEqual(refused({ ts }), ['body.ts: datetime_parsing'])
    }
  })

  it('refuses a lone surrogate anywhere, also in what it ignores', () => {
    const types = (text: string) => problemsOf(() => parse(text)).map(({ type }) => type)
    const body = JSON.stringify(FIELDS)
    assert.deepEqual(types(body.replace('Hello', '\\ud83d')), ['string_unicode'])
    assert.deepEqual(types(body.replace('m-1', '\\ude00')), ['string_unicode'])
    assert.deepEqual(types(body.replace('{', '{"extra":["\\ud83d"],')), ['string_unicode'])
    assert.deepEqual(types(body.replace('{', '{"\\ud83d":1,')), ['string_unicode'])
    assert.equal(parse(body.replace('Hello', '\\ud83d\\ude00')).text, '😀')
  })

  it('takes an unknown field nested 63 levels deep, and no deeper', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    assert.ok(isTaken(() => message({ extra: nested(63) })))
    assert.deepEqual(refused({ extra: nested(64) }), ['body: json_too_deep'])
  })

  it('ignores unknown fields', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (unknown) => {
        const body = Buffer.from(JSON.stringify({ ...unknown, ...FIELDS }))
        assert.equal(parseFlatMessage(body).messageId, 'm-1')
      }),
    )
  })

  it('takes no field from a prototype, whatever __proto__ and constructor hold', () => {
    const inherited = JSON.stringify(FIELDS)
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      assert.equal(problemsOf(() => parse(`{"${name}":${inherited}}`)).length, 4)
      assert.ok(isTaken(() => parse(inherited.replace('{', `{"${name}":{"text":"other"},`))))
    }
    assert.equal('message_id' in {}, false)
  })

  it('takes the last of two fields with one name', () => {
    const body = JSON.stringify(FIELDS).replace('{', '{"message_id":"first",')
    assert.equal(parse(body).messageId, 'm-1')
  })

  it('takes every text, id and fields within the limits as they are', () => {
    const aText = fc
      .string({ unit: anyCharacter, maxLength: 50 })
      .filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(aText, aText, (id, text) => {
        const parsed = message({ message_id: `m${id}`, text })
        assert.equal(parsed.messageId, `m${id}`)
        assert.equal(parsed.text, text)
      }),
    )
  })

  it('never says in an error what the message says', () => {
    const secret = 'canary'
    for (const name of Object.keys(FIELDS)) {
      const problems = problemsOf(() => message({ [name]: [secret] }))
      assert.doesNotMatch(JSON.stringify(problems), /canary/)
    }
    const problems = problemsOf(() =>
      message({ from: secret, to: secret, ts: secret, text: secret.repeat(1000) }),
    )
    assert.equal(problems.length, 4)
    assert.doesNotMatch(JSON.stringify(problems), /canary/)
  })

  it('takes damaged bodies or refuses them as invalid, and does nothing else', () => {
    const valid = Buffer.from(JSON.stringify({ ...FIELDS, extra: [{ a: '\ud83d\ude00é' }] }))
    const aDamage = fc.record({
      at: fc.nat(valid.length),
      length: fc.nat(10),
      bytes: fc.uint8Array({ maxLength: 10 }),
    })
    fc.assert(
      fc.property(fc.array(aDamage, { maxLength: 4 }), (damages) => {
        const body = damages.reduce(
          (bytes, { at, length, bytes: others }) =>
            Buffer.concat([bytes.subarray(0, at), others, bytes.subarray(at + length)]),
          valid,
        )
        isTaken(() => parseFlatMessage(body))
      }),
      { numRuns: 2000 },
    )
  })

  it('takes arbitrary bytes or refuses them as invalid, and does nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.equal(
          isTaken(() => parseFlatMessage(Buffer.from(bytes))),
          false,
        )
      }),
    )
  })

  it('takes fields of any JSON value or refuses them as invalid, and does nothing else', () => {
    const aValue = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: anyCharacter }))
    const aBody = fc.record(
      { message_id: aValue, from: aValue, to: aValue, ts: aValue, text: aValue },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(aBody, (body) =>
        assert.equal(
          isTaken(() => parse(body)),
          false,
        ),
      ),
      { numRuns: 500 },
    )
  })
})
