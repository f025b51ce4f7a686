// Lists of messages as SQL that both engines run. Texts are constant, with a question mark for each
// value.
import type { MessageFilter, Order, PageRequest, Position } from '../../model/message.ts'
import {
  behind,
  conditionsBehind,
  conditionsFor,
  ordered,
  type SearchCondition,
} from './conditions.ts'
import { LISTED_MESSAGES_SQL, MESSAGE_SQL } from './rows.ts'

export type Query = { readonly sql: string; readonly values: readonly (string | number)[] }

/** Which messages are read in all, and in which order. */
export type Scan = { readonly filter: MessageFilter; readonly order: Order }

/** The message with an id, its one value: one that was received before its echo and copies in standby. */
export const FIND_MESSAGE_SQL = `${MESSAGE_SQL}
  where messages.message_id = ? order by namespace limit 1`

/** The rows of a page, and one more. */
export function pageQuery(
  { filter, order, limit, offset, after }: PageRequest,
  search: SearchCondition,
): Query {
  const { where, values } = conditionsBehind(filter, { order, after }, search)
  return {
    sql: `${LISTED_MESSAGES_SQL} where seq in (
        select seq from messages ${where} ${ordered(order, 'message_id')} limit ? offset ?)
      ${ordered(order)}`,
    values: [...values, limit + 1, offset],
  }
}

/**
 * Of everything a filter matches the number (`total`), and of a page of it, and one more, each
 * `seq`; null where the page is empty. What is found is found once, then counted and cut.
 */
export function hitsQuery(
  { filter, order, limit, offset, after }: PageRequest,
  search: SearchCondition,
): Query {
  const { where, values } = conditionsFor(filter, search)
  const rest = after === undefined ? null : behind(order, after)
  return {
    sql: `with hits as materialized (select seq, instant, message_id from messages ${where})
      select total, seq from (select count(*) as total from hits) as counted left join (
        select seq, instant, message_id from hits ${rest === null ? '' : `where ${rest.clause}`}
        ${ordered(order, 'message_id')} limit ? offset ?) as shown on true`,
    values: [...values, ...(rest?.values ?? []), limit + 1, offset],
  }
}

/** The next `limit` rows of a scan behind `after`, none of them numbered above `last`. */
export function scanQuery(
  { filter, order }: Scan,
  { after, last, limit }: { after: Position | undefined; last: number; limit: number },
  search: SearchCondition,
): Query {
  const { where, values } = conditionsBehind(filter, { order, after }, search)
  return {
    sql: `${LISTED_MESSAGES_SQL} where seq in (
        select seq from messages ${where === '' ? 'where' : `${where} and`} seq <= ?
        ${ordered(order, 'message_id')} limit ?)
      ${ordered(order)}`,
    values: [...values, last, limit],
  }
}
