// Which bodies are gone because they expired. In a file no row says when, and a copy of a file does not
// say it either; but each pass of the expiry begins at the lowest number there is: who lies there,
// and came no later, would have gone before.
import type { FromBody, IntakeToCheck } from './bodies.ts'

/** The body with the lowest number; `received_at` in ms since 1970. */
export type FirstBody = Pick<IntakeToCheck, 'id' | 'received_at'>

export const FIRST_BODY_SQL = 'select id, received_at from intakes order by id limit 1'

/**
 * Whether a body that is missing may have expired, by the first of those that are kept. Of those behind
 * it, which a pass may miss where a clock was wrong, none is taken for a sign that others have not.
 */
export function mayHaveExpired(
  { intake, received_at }: Pick<FromBody, 'intake' | 'received_at'>,
  first: FirstBody | undefined,
): boolean {
  return first === undefined || intake < first.id || received_at < first.received_at
}
