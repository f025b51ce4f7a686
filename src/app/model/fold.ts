// The one folding that both sides of a search go through, in every engine.
import { composed } from './composed.ts'

/**
 * Text as it is compared in a search: Unicode NFC, then Unicode lower case.
 *
 * Two details keep "is a substring of" true for every part of a text. Greek's final sigma depends
 * on what follows it, so both sigmas become one. U+0130 (İ) becomes `i` and a combining dot, so
 * that `i` and `İ` both find it. ß stays ß: this is lower case, not case folding.
 */
export function fold(text: string): string {
  return composed(text).toLowerCase().replaceAll('ς', 'σ')
}

/** U+0000, which PostgreSQL cannot hold, shown as U+FFFD. */
export function withoutNul(text: string): string {
  return text.includes('\u0000') ? text.replaceAll('\u0000', '\ufffd') : text
}
