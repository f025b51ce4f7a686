import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fold, withoutNul } from '../../../src/app/model/fold.ts'
import { aText, partOf } from '../../support/texts.ts'

/** Every code point that Unicode has given a meaning. */
const CHARACTERS = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter(
  (character) => /[^\p{Unassigned}\p{Private_Use}\p{Surrogate}]/u.test(character),
)

function finds(query: string, text: string): boolean {
  return fold(text).includes(fold(query))
}

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('fold', () => {
  for (const [query, text] of [
    ['É', 'café'],
    ['é', 'CAFÉ'],
    ['e\u0301', 'CAFÉ'],
    ['É', 'cafe\u0301'],
    ['i', 'İSTANBUL'],
    ['İ', 'i\u0307stanbul'],
    ['İstanbul', 'İSTANBUL'],
    ['ß', 'STRAẞE'],
    ['ẞ', 'straße'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδος', 'ΟΔΟΣ 5'],
    ['οδοσ', 'οδος'],
    ['Σ', 'ς'],
    ['К', 'кот'],
    ['k', '\u212a'],
    ['å', '\u212b'],
    ['\u{10428}', '\u{10400}'],
    ['🎉', 'Party 🎉!'],
    ['👩', '👩🏽\u200d🚀'],
    ['각', '\u1100\u1161\u11a8'],
  ] as const) {
    it(`lets ${query} find ${text}`, () => assert.ok(finds(query, text)))
  }

  for (const [query, text] of [
    ['ss', 'straße'],
    ['ß', 'STRASSE'],
    ['e', 'é'],
    ['ı', 'i'],
    ['i', 'ı'],
    ['fi', 'ﬁ'],
  ] as const) {
    it(`does not let ${query} find ${text}, another letter`, () => assert.ok(!finds(query, text)))
  }

  it('makes canonically equivalent texts one', () => {
    fc.assert(
      fc.property(aText(), (text) => {
        assert.equal(fold(text.normalize('NFD')), fold(text))
        assert.equal(fold(text.normalize('NFC')), fold(text))
      }),
      { numRuns: 1000 },
    )
  })

  it('does not tell a character from its lower case, in all of Unicode', () => {
    for (const character of CHARACTERS) {
      assert.equal(fold(character.toLowerCase()), fold(character))
    }
  })

  it('folds a letter alike whatever stands before and after it', () => {
    for (const character of CHARACTERS.filter((each) => !/\p{Mark}/u.test(each))) {
      assert.equal(fold(`Α${character} `), `α${fold(character)} `)
      assert.equal(fold(` ${character}Α`), ` ${fold(character)}α`)
    }
  })

  // NFC text stays NFC when it is cut between code points, and from there on folding goes code
  // point by code point. So the law needs no condition beyond taking the part after NFC: cut before
  // it, `e` would be a part of `e` + U+0301, but not of the `é` that a reader sees.
  it('finds every part of a composed text, wherever it is cut between code points', () => {
    fc.assert(
      fc.property(aText(), unit, unit, (text, from, to) => {
        assert.ok(finds(partOf(text.normalize('NFC'), from, to), text))
      }),
      { numRuns: 5000 },
    )
  })

  it('finds every part in upper and in lower case, of letters that have one of each', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'abzÀÉÖøñžšαβωЖя🎉 .') })
    fc.assert(
      fc.property(letters, unit, unit, (text, from, to) => {
        const part = partOf(text, from, to)
        assert.ok(finds(part.toUpperCase(), text))
        assert.ok(finds(part, text.toUpperCase()))
      }),
    )
  })
})

describe('withoutNul', () => {
  it('shows U+0000 as U+FFFD wherever it stands', () => {
    assert.equal(withoutNul('\u0000a\u0000\u0000b\u0000'), '\ufffda\ufffd\ufffdb\ufffd')
  })

  it('leaves every other text as it is', () => {
    fc.assert(fc.property(aText(), (text) => assert.equal(withoutNul(text), text)))
  })
})
