// A filter as SQL: only constant texts here, every value travels as a parameter.
import type { EventFilter } from '../../model/event.ts'
import type { MessageFilter, Order, Position } from '../../model/message.ts'

export type Conditions = {
  /** Empty, or clauses that begin with `where` or, where so described, with `and`. */
  readonly where: string
  readonly values: readonly (string | number)[]
}

/** The contacts somebody may mean; its values are those of contactValues. */
export const CONTACTS_SQL = `
  select contact from contact_addresses where address = ?
  union select id from contacts where username = ?`

/** Every address of people; to be followed by a condition on `known.address`, their keys. */
export const ADDRESSES_SQL = `
  select known.address as key, other.address from contact_addresses as known
  join contact_addresses as other on other.contact = known.contact where known.address`

/** A username is known with and without its sign. */
export function contactValues(contact: string): [string, string] {
  return [contact, contact.replace(/^@/, '')]
}

/** How an engine finds texts that contain a search, which is folded already. */
export type SearchCondition = (folded: string) => {
  readonly clause: string
  readonly values: readonly (string | number)[]
}

/** Every text is constant, with a question mark for each value. */
export function conditionsFor(filter: MessageFilter, search: SearchCondition): Conditions {
  const clauses: string[] = []
  const values: (string | number)[] = []
  const add = (clause: string, ...more: (string | number)[]) => {
    clauses.push(clause)
    values.push(...more)
  }
  if (filter.from !== undefined) add('sender = ?', filter.from)
  // An expression is no column, so its index is not taken where the one by sender narrows further:
  // a business receives nearly everything, a sender writes little.
  if (filter.to !== undefined) {
    add(filter.from === undefined ? 'recipient = ?' : "recipient || '' = ?", filter.to)
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
  if (filter.search !== undefined) {
    const found = search(filter.search)
    add(found.clause, ...found.values)
  }
  return { where: clauses.length === 0 ? '' : `where ${clauses.join(' and ')}`, values }
}

/** Conditions that only what lies behind `after` in this order meets, beside those of the filter. */
export function conditionsBehind(
  filter: MessageFilter,
  { order, after }: { readonly order: Order; readonly after: Position | undefined },
  search: SearchCondition,
): Conditions {
  if (after === undefined) return conditionsFor(filter, search)
  const { where, values } = conditionsFor(boundsBehind(filter, order, after), search)
  const rest = behind(order, after)
  return {
    where: where === '' ? `where ${rest.clause}` : `${where} and ${rest.clause}`,
    values: [...values, ...rest.values],
  }
}

/** What lies behind a position in this order, as a condition. */
export function behind(order: Order, { instant, messageId, seq }: Position) {
  const clause = `(instant, message_id, seq) ${order === 'asc' ? '>' : '<'} (?, ?, ?)`
  return { clause, values: [instant, messageId, seq] }
}

/** A bound that a position has left behind would only lead SQLite to begin there again. */
function boundsBehind(filter: MessageFilter, order: Order, { instant }: Position): MessageFilter {
  const { since, until, ...others } = filter
  const isBehindSince = order === 'asc' && since !== undefined && instant >= since
  const isBehindUntil = order === 'desc' && until !== undefined && instant < until
  return {
    ...others,
    ...(since === undefined || isBehindSince ? {} : { since }),
    ...(until === undefined || isBehindUntil ? {} : { until }),
  }
}

/** The order of a list; `id` is what tells entries of one moment apart, before their numbers do. */
export function ordered(order: Order, id = 'messages.message_id'): string {
  return `order by instant ${order}, ${id} ${order}, seq ${order}`
}

/** The rows of a table that are about a message, by its id: as a condition with this many values. */
export type About = { readonly clause: string; readonly values: number }

/** Of events: what happened to it. */
export const EVENTS_ABOUT: About = { clause: 'message_id = ?', values: 1 }

/** Of messages: itself, and the reactions to it, which this condition finds. */
export function messagesAbout(isReactionTo: string): About {
  return {
    clause: `seq in (
      select seq from messages where message_id = ?
      union all select seq from messages where ${isReactionTo})`,
    values: 2,
  }
}

/** What an entry of the sequence must meet beside its place; clauses that begin with `and`. */
export function sequenceConditions(
  { contact, phoneNumberId, messageId }: EventFilter,
  about: About,
): Conditions {
  const clauses: string[] = []
  const values: string[] = []
  if (contact !== undefined) {
    clauses.push(`and contact in (${CONTACTS_SQL})`)
    values.push(...contactValues(contact))
  }
  if (phoneNumberId !== undefined) {
    clauses.push('and phone_number_id = ?')
    values.push(phoneNumberId)
  }
  if (messageId !== undefined) {
    clauses.push(`and ${about.clause}`)
    values.push(...Array<string>(about.values).fill(messageId))
  }
  return { where: clauses.join(' '), values }
}
