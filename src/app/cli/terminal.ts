// What may be written to a terminal: text that strangers wrote must not steer it.

// Marks that join or order letters are left: emoji, Persian and Hebrew need them.
const STEERING = /(?!\r\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/**
 * `text` as it may go to `output`. On a terminal, what would move the cursor, colour, erase or turn
 * the writing around is shown as its escape in JSON, such as `\u001b`, so that JSON stays the same
 * value; line ends and tabs stay. Elsewhere, as in a file or a pipe, the text is left as it is.
 */
export function forOutput(text: string, output: { readonly isTTY?: boolean }): string {
  return output.isTTY ? text.replace(STEERING, escaped) : text
}

function escaped(character: string): string {
  if (character === '\n' || character === '\t') return character
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
