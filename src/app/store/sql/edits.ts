// Which of several edits of a message counts, in which order they are listed, and what the column
// `edited` says of it.
import type { Order } from '../../model/message.ts'
import { ordered } from './conditions.ts'

/** Of the events of one message, what it says now: a revocation, else the edit that was made last. */
export const LATEST_EDIT = `kind in ('edit', 'revoke')
  order by kind desc, instant desc, key desc limit 1`

/**
 * In the order in which they happened, or from the last one on. Of edits at one moment that one is last
 * that counts; statuses come as they arrived.
 */
export function asTheyHappened(order: Order): string {
  return ordered(order, "case when kind = 'status' then '' else events.key end")
}

/** The column `edited` by the kind of that event; 0 where there is none. */
export const EDITED = { edit: 1, revoke: 2 } as const
