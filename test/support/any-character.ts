// Characters for laws that hold for every text. fast-check's own unit "binary" does the same, but
// takes two seconds to set up.
import fc from 'fast-check'

/** Any code point, U+0000 included, but no surrogate. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((codePoint) => String.fromCodePoint(codePoint))
