// The one thing of a vCard (RFC 6350) that a person would search for.

const FOLDED = /\r?\n[ \t]/g
/**
 * A line begins behind U+2028 and U+2029 too: parameters that went on across them would be read to the
 * end from each beginning, which takes the square of the length.
 */
const FORMATTED_NAME = /^(?:[\w-]+\.)?FN(?:;[^:\r\n\u2028\u2029]*)?:(.*)$/im
const ESCAPED = /\\([\\,;:n])/gi

/** The name in a vCard; null where it has none. */
export function nameInVcard(vcard: string): string | null {
  const [, value = ''] = FORMATTED_NAME.exec(vcard.replace(FOLDED, '')) ?? []
  const name = value.replace(ESCAPED, (_, character: string) =>
    character.toLowerCase() === 'n' ? ' ' : character,
  )
  return name.trim() || null
}
