import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { composed } from '../../../src/app/model/composed.ts'
import { fold } from '../../../src/app/model/fold.ts'
import { aCharacter, aText } from '../../support/texts.ts'

/** What is sorted, joined or taken apart in every way there is. */
const JOINING = [
  // Marks of several classes, those of one class, one that is two, and one that is sorted by nothing.
  ...['\u0301', '\u0304', '\u0308', '\u0323', '\u0316', '\u0345', '\u0334', '\u05b0', '\u3099'],
  ...['\u0344', '\u0f73', '\u0f71', '\u0488', '\u{1d165}', '\u{1d16e}'],
  // Vowel signs that join with each other, and what is joined of them.
  ...['\u09c7', '\u09be', '\u{1611e}', '\u{1611f}', '\u{16121}', '\u{113c2}', '\u{113c5}'],
  ...['\u{16d67}', '\u{16d68}', '\u{16d63}', '\u{16d6a}'],
  // Letters with marks, Hangul in parts and whole, what the engine never joins again.
  ...[
    'a',
    'u',
    'ậ',
    'ǖ',
    '\u1100',
    '\u1161',
    '\u11a8',
    '가',
    '각',
    '\u0958',
    '\u{1d15e}',
    '\u212b',
  ],
]
const aJoiningText = fc.string({
  unit: fc.oneof({ arbitrary: fc.constantFrom(...JOINING), weight: 6 }, aCharacter),
  maxLength: 60,
})
const aLongRun = fc
  .array(fc.constantFrom('\u0301', '\u0323', '\u0344', '\u{1611e}', '\u{16d67}'), {
    minLength: 1,
    maxLength: 3,
  })
  .map((unit) => unit.join('').repeat(130))

/** Every code point that Unicode has given a meaning. */
const CHARACTERS = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter(
  (character) => /[^\p{Unassigned}\p{Private_Use}\p{Surrogate}]/u.test(character),
)

describe('composed', () => {
  it('is NFC of every text, with and without long runs of what is sorted and joined', () => {
    fc.assert(
      fc.property(aJoiningText, aLongRun, aJoiningText, (before, run, behind) => {
        for (const text of [before, `${before}${run}`, `${before}${run}${behind}`]) {
          assert.equal(composed(text), text.normalize('NFC'))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('is NFC of every character of Unicode, before, within and behind a long run', () => {
    const run = '\u0301\u0323'.repeat(64)
    for (let at = 0; at < CHARACTERS.length; at += 64) {
      const some = CHARACTERS.slice(at, at + 64)
      const texts = some.map((character) => `a\u0316${character}\u0316\u0301`)
      const text = `${run}${texts.join('')}`
      assert.equal(composed(text), text.normalize('NFC'))
    }
  })

  it('hands the engine no run that takes it longer than its length', (test) => {
    const units = [
      '\u0301\u0323',
      '\u0344\u0323',
      '\u{1611e}',
      '\u{113c2}',
      '\u{16d67}',
      '\u{16d68}',
    ]
    composed(units.join('').repeat(100))
    for (const unit of units) {
      const handed = longestHanded(test, () => composed(`a${unit.repeat(5000)}b`))
      assert.ok(handed < 256, `${handed} of ${[...unit].map((each) => each.codePointAt(0))}`)
    }
  })

  it('knows all that the engine sorts, and all that joins what it has joined', (test) => {
    const [firsts, seconds] = [partsOfPairs(0), partsOfPairs(-1)]
    const some = CHARACTERS.filter((character) => {
      const [first = ''] = character.normalize('NFD')
      return isSorted(first) || (firsts.has(first) && seconds.has(first))
    })
    assert.ok(some.length > 900)
    for (const character of some) {
      const handed = longestHanded(test, () => composed(character.repeat(600)))
      assert.ok(handed < 256, `${handed} of U+${character.codePointAt(0)?.toString(16)}`)
    }
  })
})

describe('fold', () => {
  it('is as it was before for every text: what is stored needs no other search', () => {
    fc.assert(
      fc.property(aText(), aLongRun, aText(), (before, run, behind) => {
        for (const text of [before, `${before}${run}${behind}`]) {
          assert.equal(fold(text), text.normalize('NFC').toLowerCase().replaceAll('ς', 'σ'))
        }
      }),
    )
  })

  it('hands the engine no long run, of whatever a person may write', (test) => {
    const text = `Σ${'\u0301\u0323'.repeat(5000)}ς`
    assert.ok(longestHanded(test, () => fold(text)) < 256)
  })
})

/** The most code points that the engine was asked to normalise at once. */
function longestHanded(test: TestContext, work: () => unknown): number {
  const normalize = String.prototype.normalize
  const spy = test.mock.method(
    String.prototype,
    'normalize',
    function (this: string, form: string) {
      return normalize.call(this, form)
    },
  )
  work()
  const lengths = spy.mock.calls.map((call) => String(call.this).length)
  spy.mock.restore()
  return Math.max(0, ...lengths)
}

function isSorted(character: string): boolean {
  return character === '\u0345' || `\u0345${character}`.normalize('NFD') !== `\u0345${character}`
}

/** The first or the last of the characters that the engine makes others of, but for Hangul. */
function partsOfPairs(at: 0 | -1): ReadonlySet<string> {
  const pairs = CHARACTERS.filter(
    (character) => !/[가-힣]/.test(character) && character.normalize('NFC') === character,
  )
    .map((character) => [...character.normalize('NFD')])
    .filter((parts) => parts.length > 1)
  return new Set(pairs.map((parts) => parts.at(at) ?? ''))
}
