// A filter as SQL: only constant texts here, every value travels as a parameter.
import type { MessageFilter } from '../../model/message.ts'
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
  if (filter.to !== undefined) add('recipient = ?', filter.to)
  if (filter.since !== undefined) add('instant >= ?', filter.since)
  if (filter.until !== undefined) add('instant < ?', filter.until)
  if (filter.search !== undefined) addSearch(add, filter.search, readNumber(WATERMARK_SQL))
  return { where: clauses.length === 0 ? '' : `where ${clauses.join(' and ')}`, values }
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
