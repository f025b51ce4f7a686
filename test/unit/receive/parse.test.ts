import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CURRENT_RULES } from '../../../src/app/model/event.ts'
import { parseJson, parseJsonBy, parseJsonExactly } from '../../../src/app/receive/parse.ts'
import { isTaken, problemsOf } from '../../support/problems.ts'

const SURROGATE = 'The body contains a lone surrogate, which is not a character'

function parse(text: string): unknown {
  return parseJson(Buffer.from(text))
}

function typesOf(body: string | Buffer): readonly string[] {
  return problemsOf(() => parseJson(Buffer.from(body))).map(({ type }) => type)
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

describe('parseJson', () => {
  it('gives the value in the body', () => {
    assert.deepEqual(parse(' {"a":[1,true,null,"é🎉"]}\n'), { a: [1, true, null, 'é🎉'] })
  })

  it('gives every JSON value as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        assert.deepEqual(parse(text), JSON.parse(text))
      }),
    )
  })

  for (const [what, text] of [
    ['an empty body', ''],
    ['blanks', '  \n'],
    ['half an object', '{"a":1'],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['a name without quotes', '{a:1}'],
    ['NaN', 'NaN'],
    ['Infinity', '[Infinity]'],
    ['a comment', '{}//'],
    ['two values', '{}{}'],
    ['a line break in a string', '"a\nb"'],
    ['a U+0000 in a string', '"a\u0000b"'],
    ['an unfinished escape', '"\\u00"'],
    ['brackets closed too often', ']]]]{}'],
    ['a byte order mark', '\ufeff{}'],
  ] as const) {
    it(`refuses ${what} as JSON`, () => assert.deepEqual(typesOf(text), ['json_invalid']))
  }

  for (const [what, bytes] of [
    ['a byte that begins nothing', [0x22, 0xff, 0x22]],
    ['a continuation byte alone', [0x22, 0x80, 0x22]],
    ['a character cut short', [0x22, 0xe2, 0x82, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a code point past U+10FFFF', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
  ] as const) {
    it(`refuses ${what} as invalid UTF-8`, () => {
      assert.deepEqual(
        problemsOf(() => parseJson(Buffer.from(bytes))),
        [{ loc: ['body'], msg: 'The body is not valid UTF-8', type: 'json_invalid' }],
      )
    })
  }

  it('takes 64 levels of nesting and refuses 65', () => {
    assert.ok(isTaken(() => parse(nested(64))))
    assert.deepEqual(typesOf(nested(65)), ['json_too_deep'])
    assert.ok(isTaken(() => parse(`${'{"a":'.repeat(64)}1${'}'.repeat(64)}`)))
    assert.deepEqual(typesOf(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`), ['json_too_deep'])
  })

  it('counts levels, not brackets', () => {
    assert.ok(isTaken(() => parse(`[${Array(1000).fill('[]').join()}]`)))
    assert.ok(isTaken(() => parse(JSON.stringify(['['.repeat(1000), '{'.repeat(1000)]))))
    assert.ok(isTaken(() => parse(JSON.stringify([`"${'['.repeat(100)}`, '\\', '[', '\\"{{']))))
    assert.deepEqual(typesOf(`["\\"", "\\\\", ${nested(64)}]`), ['json_too_deep'])
    assert.deepEqual(typesOf(`[${nested(64)},{},[]]`), ['json_too_deep'], 'also in front of others')
  })

  it('does not fall over a body of nothing but brackets', () => {
    assert.deepEqual(typesOf('['.repeat(1_000_000)), ['json_too_deep'])
    assert.deepEqual(typesOf('{"a":'.repeat(500_000)), ['json_too_deep'])
  })

  for (const [where, text] of [
    ['a text', '{"text":"\\ud800"}'],
    ['a text, in upper case', '{"text":"\\uDFFF"}'],
    ['the middle of a text', '{"text":"a\\ud83db"}'],
    ['an unknown field', '{"a":{"b":["\\udc00"]}}'],
    ['one of several texts', '["fine","\\udc00","fine"]'],
    ['a name', '{"\\ud800":1}'],
    ['a name further down', '{"a":[{"\\udfff":1}]}'],
    ['a pair the wrong way round', '"\\ude00\\ud83d"'],
    ['half a pair beside a whole one', '"\\ud83d\\ude00\\ud83d"'],
  ] as const) {
    it(`refuses a lone surrogate in ${where}`, () => {
      assert.deepEqual(
        problemsOf(() => parse(text)),
        [{ loc: ['body'], msg: SURROGATE, type: 'string_unicode' }],
      )
    })
  }

  it('takes a pair of surrogates, and a backslash before what only looks like one', () => {
    assert.equal(parse('"\\ud83d\\ude00"'), '😀')
    assert.equal(parse('"\\\\ud800"'), '\\ud800')
  })

  it('takes U+0000 as an escape', () => assert.equal(parse('"a\\u0000b"'), 'a\u0000b'))

  it('changes no prototype', () => {
    const value = parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')
    assert.ok(typeof value === 'object' && value !== null)
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
    assert.ok(!('polluted' in value) && !('polluted' in {}))
  })

  it('never quotes the body it refuses', () => {
    for (const body of ['{"a": canary', 'canary', '{"canary":"\\ud800"}', `${nested(65)}canary`]) {
      assert.doesNotMatch(JSON.stringify(problemsOf(() => parse(body))), /canary/)
    }
  })

  it('takes arbitrary bytes or refuses them as invalid, and does nothing else', () => {
    const aBody = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string().map(Buffer.from))
    fc.assert(
      fc.property(aBody, (body) => void isTaken(() => parseJson(Buffer.from(body)))),
      { numRuns: 1000 },
    )
  })
})

describe('parseJsonExactly', () => {
  const exactly = (text: string) => parseJsonExactly(Buffer.from(text))

  it('is how bodies are read since the second rules: the first ones rounded', () => {
    const body = Buffer.from('9007199254740993')
    const read = ([1, 2, CURRENT_RULES] as const).map((rules) => parseJsonBy(rules, body))
    assert.deepEqual(read, [9007199254740992, '9007199254740993', '9007199254740993'])
  })

  it('keeps an integer that a number would round as the text of its digits', () => {
    const [big, small, longer] = ['9007199254740993', '-9007199254740993', '9'.repeat(40)]
    for (const digits of [big, small, longer]) {
      for (const before of ['', ' ', '\n']) {
        assert.deepEqual(exactly(`${before}${digits}`), digits)
        assert.deepEqual(exactly(`[1,${before}${digits}]`), [1, digits])
        assert.deepEqual(exactly(`[${before}${digits}]`), [digits])
        assert.deepEqual(exactly(`{"a":${before}${digits}}`), { a: digits })
      }
    }
  })

  it('gives everything else as JSON.parse does', () => {
    const safe = ['9007199254740991', '-9007199254740991', '1234567890123456.5', '1e300', '[]']
    for (const text of [...safe, '"9007199254740993"', '{"a":"b, 90071992547409930"}']) {
      assert.deepEqual(exactly(text), JSON.parse(text))
    }
    const withoutLong = fc.json({ maxDepth: 8 }).filter((text) => !/\d{16}/.test(text))
    fc.assert(
      fc.property(withoutLong, (text) => {
        const long = '12345678901234567890'
        assert.deepEqual(exactly(`[${text},${long}]`), [JSON.parse(text), long])
      }),
    )
  })
})
