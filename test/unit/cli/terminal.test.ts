import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { forOutput } from '../../../src/app/cli/terminal.ts'
import { anyCharacter } from '../../support/any-character.ts'

const TERMINAL = { isTTY: true }

describe('what is written to a terminal', () => {
  it('shows what would steer it', () => {
    const cases = {
      '\u001b]0;title\u0007': '\\u001b]0;title\\u0007',
      '\u009b31m': '\\u009b31m',
      'a\rb\b\u007f': 'a\\u000db\\u0008\\u007f',
      'a\u202egnp.exe\u2066': 'a\\u202egnp.exe\\u2066',
    }
    for (const [text, shown] of Object.entries(cases))
      assert.equal(forOutput(text, TERMINAL), shown)
  })

  it('leaves line ends, tabs and what letters need', () => {
    const text = 'a\tb\r\nc\n\u{1f469}\u200d\u{1f680} \u0645\u06cc\u200c\u062e \u05d0\u200f \\u001b'
    assert.equal(forOutput(text, TERMINAL), text)
  })

  it('stays the same JSON, and has nothing left that steers', () => {
    const property = fc.property(fc.string({ unit: anyCharacter }), (text) => {
      const shown = forOutput(JSON.stringify({ text }), TERMINAL)
      assert.deepEqual(JSON.parse(shown), { text })
      assert.doesNotMatch(shown, /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
    })
    fc.assert(property)
  })

  it('is left as it is where it goes to a file or a pipe', () => {
    const text = '\u001b[31m\u009b\r\u202e'
    assert.equal(forOutput(text, {}), text)
    assert.equal(forOutput(text, { isTTY: false }), text)
  })
})
