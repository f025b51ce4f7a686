// The columns that PostgreSQL keeps beside those that both engines have, derived from these.
import type { Content } from '../../model/content.ts'
import { fold } from '../../model/fold.ts'

/** The column `folded`, of this text: what searches compare. */
export function foldedOf(text: string | null): string | null {
  return text === null ? null : fold(text)
}

/** The column `reaction_to`, of this content in JSON: the id of the message it is a reaction to. */
export function reactionIn(content: string | null): string | null {
  if (content === null) return null
  return (JSON.parse(content) as Content).reaction?.message_id ?? null
}
