// What statistics list, and how much of it.
import type { Order } from '../../model/message.ts'
import { ordered } from './conditions.ts'

/** The busiest senders. */
export const TOP_SENDERS = 10
/** The latest days. */
export const DAYS = 31
/** Types, statuses and kinds, which come from outside. */
export const TYPES = 1000

/** The `ts` of the first message in this order. */
export function firstTimestampSql(order: Order): string {
  return `select ts from messages ${ordered(order, 'message_id')} limit 1`
}
