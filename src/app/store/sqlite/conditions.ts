// A filter as SQL: only constant texts here, every value travels as a parameter.
import type { MessageFilter, Order, Position } from '../../model/message.ts'
import { CHANGED_SQL, trigramQuery, WATERMARK_SQL } from './search-index.ts'

export type Conditions = {
  /** Empty, or a clause that begins with `where`. */
  readonly where: string
  readonly values: readonly (string | number)[]
}

/** The contacts somebody may mean; its values are those of contactValues. */
export const CONTACTS_SQL = `
  select contact from contact_addresses where address = ?
  union select id from contacts where username = ?`

/** A username is known with and without its sign. */
export function contactValues(contact: string): [string, string] {
  return [contact, contact.replace(/^@/, '')]
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
  if (filter.type !== undefined) add('type = ?', filter.type)
  if (filter.direction !== undefined) add('direction = ?', filter.direction)
  if (filter.phoneNumberId !== undefined) add('phone_number_id = ?', filter.phoneNumberId)
  if (filter.status !== undefined) {
    add(
      `exists (select 1 from message_states
         where message_states.message_id = messages.message_id and status = ?)`,
      filter.status,
    )
  }
  if (filter.contact !== undefined) {
    add(`contact in (${CONTACTS_SQL})`, ...contactValues(filter.contact))
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
  const behind = `(instant, message_id, seq) ${order === 'asc' ? '>' : '<'} (?, ?, ?)`
  return {
    where: where === '' ? `where ${behind}` : `${where} and ${behind}`,
    values: [...values, after.instant, after.messageId, after.seq],
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
// What was edited behind the watermark is looked at as it is now, not as it was indexed.
function addSearch(
  add: (clause: string, ...values: (string | number)[]) => void,
  search: string,
  watermark: number,
): void {
  const match = trigramQuery(search)
  const indexed = `select rowid from search where ${match === null ? '' : 'search match ? and '}
    instr(folded, ?) > 0 and rowid not in (${CHANGED_SQL})`
  add(
    `seq in (
       ${indexed}
       union all select seq from messages where seq > ? and instr(fold(text), ?) > 0
       union all select seq from messages
         where seq in (${CHANGED_SQL}) and seq <= ? and instr(fold(text), ?) > 0)`,
    ...(match === null ? [] : [match]),
    search,
    watermark,
    watermark,
    search,
    watermark,
    watermark,
    search,
  )
}
