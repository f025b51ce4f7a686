// A filter as SQL: only constant texts here, every value travels as a parameter.
import type { MessageFilter, Order, Position } from '../../model/message.ts'
import { trigramQuery, WATERMARK_SQL } from './search-index.ts'

export type Conditions = {
  /** Empty, or a clause that begins with `where`. */
  readonly where: string
  readonly values: readonly (string | number)[]
}

/** `readNumber` answers a query for one number in the snapshot the conditions are for. */
export function conditionsFor(
  filter: MessageFilter,
  readNumber: (sql: string) => number,
): Conditions {
  const clauses: string[] = []
  const values: (string | number)[] = []
  const add = (clause: string, ...more: (string | number)[]) => {
    clauses.push(clause)
    values.push(...more)
  }
  if (filter.from !== undefined) add('sender = ?', filter.from)
  // The plus keeps SQLite from this index where the one by sender narrows further: a business
  // receives nearly everything, a sender writes little.
  if (filter.to !== undefined) {
    add(filter.from === undefined ? 'recipient = ?' : '+recipient = ?', filter.to)
  }
  if (filter.since !== undefined) add('instant >= ?', filter.since)
  if (filter.until !== undefined) add('instant < ?', filter.until)
  if (filter.search !== undefined) addSearch(add, filter.search, readNumber(WATERMARK_SQL))
  return { where: clauses.length === 0 ? '' : `where ${clauses.join(' and ')}`, values }
}

/** Conditions that only what lies behind `after` in this order meets, beside those of the filter. */
export function conditionsBehind(
  filter: MessageFilter,
  { order, after }: { readonly order: Order; readonly after: Position | undefined },
  readNumber: (sql: string) => number,
): Conditions {
  if (after === undefined) return conditionsFor(filter, readNumber)
  const { where, values } = conditionsFor(boundsBehind(filter, order, after), readNumber)
  const behind = `(instant, message_id) ${order === 'asc' ? '>' : '<'} (?, ?)`
  return {
    where: where === '' ? `where ${behind}` : `${where} and ${behind}`,
    values: [...values, after.instant, after.messageId],
  }
}

/** A bound that a position has left behind would only lead SQLite to begin there again. */
function boundsBehind(filter: MessageFilter, order: Order, { instant }: Position): MessageFilter {
  const { since, until, ...others } = filter
  const isPast = order === 'asc' ? since !== undefined && instant >= since : false
  const isBefore = order === 'desc' ? until !== undefined && instant < until : false
  return {
    ...others,
    ...(since === undefined || isPast ? {} : { since }),
    ...(until === undefined || isBefore ? {} : { until }),
  }
}

// The index answers up to its watermark, a scan the rest: together, every message at any moment.
function addSearch(
  add: (clause: string, ...values: (string | number)[]) => void,
  search: string,
  watermark: number,
): void {
  const unindexed = 'select seq from messages where seq > ? and instr(fold(text), ?) > 0'
  const match = trigramQuery(search)
  if (match === null) {
    add(
      `seq in (select rowid from search where instr(folded, ?) > 0 union all ${unindexed})`,
      search,
      watermark,
      search,
    )
    return
  }
  add(
    `seq in (
       select rowid from search where search match ? and instr(folded, ?) > 0
       union all ${unindexed})`,
    match,
    search,
    watermark,
    search,
  )
}
