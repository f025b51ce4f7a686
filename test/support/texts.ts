// Texts that break naive handling of Unicode, for laws that hold for every text.
import fc from 'fast-check'
import { anyCharacter } from './any-character.ts'

/** Letters and signs whose case, composition or length in UTF-16 is special. */
const SPECIAL = [
  ...['a', 'A', 'i', 'I', 'k', 's', 'S', 'J', ' ', '%', '_', '"', "'", '*', '\\', '-', '\n'],
  ...['é', 'É', 'ß', 'ẞ', 'İ', 'ı', 'Σ', 'σ', 'ς', 'ŉ', 'ǰ', 'Ǆ', 'ǅ', 'ŀ', 'ﬁ', 'Ω', 'К'],
  // Combining: acute, dot above, dot below, caron; zero-width joiner, variation selector.
  ...['\u0301', '\u0307', '\u0323', '\u030c', '\u200d', '\ufe0f'],
  // Ohm, kelvin and angstrom signs, Hangul letters that compose, noncharacters.
  ...['\u2126', '\u212a', '\u212b', '\u1100', '\u1161', '\u11a8', '\ufffd', '\uffff'],
  // Beyond the basic plane: emoji, their parts, capital and small Deseret letters.
  ...['🎉', '👩', '🏽', '\u{10400}', '\u{10428}', '\u{1d15e}', '\u{10ffff}'],
]

/** One code point, often a special one, never U+0000 or a surrogate. */
export const aCharacter: fc.Arbitrary<string> = fc
  .oneof(
    { arbitrary: fc.constantFrom(...SPECIAL), weight: 4 },
    { arbitrary: anyCharacter, weight: 1 },
  )
  .filter((character) => character !== '\u0000')

/** Any text of up to `maxLength` code points, without U+0000. */
export function aText(maxLength = 20): fc.Arbitrary<string> {
  return fc.string({ unit: aCharacter, maxLength })
}

/** A part of `text` that begins and ends between two code points; `from` and `to` in [0, 1). */
export function partOf(text: string, from: number, to: number): string {
  const characters = [...text]
  const start = Math.floor(from * (characters.length + 1))
  return characters.slice(start, start + Math.floor(to * (characters.length - start + 1))).join('')
}
