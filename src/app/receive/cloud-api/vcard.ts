// The one thing of a vCard (RFC 6350) that a person would search for.

const FOLDED = /\r?\n[ \t]/g
const FORMATTED_NAME = /^(?:[\w-]+\.)?FN(?:;[^:\r\n]*)?:(.*)$/im
const ESCAPED = /\\([\\,;:n])/gi

/** The name in a vCard; null where it has none. */
export function nameInVcard(vcard: string): string | null {
  const [, value = ''] = FORMATTED_NAME.exec(vcard.replace(FOLDED, '')) ?? []
  const name = value.replace(ESCAPED, (_, character: string) =>
    character.toLowerCase() === 'n' ? ' ' : character,
  )
  return name.trim() || null
}
