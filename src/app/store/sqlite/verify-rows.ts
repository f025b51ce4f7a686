// Every stored message and event against the raw body it came in, and the sequence for gaps.
import type { DatabaseSync } from 'node:sqlite'
import { LATEST_EDIT } from '../sql/edits.ts'
import { checkEdited, type EditedToCheck } from '../verify/edits.ts'
import { checkEvent, EVENT_COLUMNS, type EventToCheck } from '../verify/events.ts'
import { checkMessage, MESSAGE_COLUMNS } from '../verify/messages.ts'
import { nameOf, type Report } from '../verify/verification.ts'
import { CHANGES_TEXT } from './search-index.ts'
import type { StoredBodies } from './verify-bodies.ts'

export type StoredRow = EditedToCheck & {
  /** The event that changed its text last; null where none did. */
  readonly changed_at: number | null
}

export type RowsOptions = {
  /** The last sequence number that was given. */
  readonly lastSeq: number
  readonly bodies: StoredBodies
  readonly report: Report
  readonly onRow: (row: StoredRow, count: number) => void
}

/** Checks all messages and returns how many there are. */
export function checkRows(database: DatabaseSync, options: RowsOptions): number {
  const statement = database.prepare(
    `select ${MESSAGE_COLUMNS}, edited_by, edited_text,
       (select max(seq) from events where events.message_id = messages.message_id
          and ${CHANGES_TEXT}) as changed_at
     from messages left join
       (select seq as edited_at, kind as edited_by, text as edited_text from events)
       on edited_at = (
         select seq from events where events.message_id = messages.message_id and ${LATEST_EDIT})
     order by seq`,
  )
  let count = 0
  for (const row of statement.iterate() as Iterable<StoredRow>) {
    count++
    const body = options.bodies.readingsOf(row)
    if (body !== null) checkMessage(row, body, options.report)
    checkEdited(row, options.report)
    options.onRow(row, count)
  }
  checkEvents(database, options)
  checkSequence(database, options)
  checkUniqueness(database, options.report)
  return count
}

function checkEvents(database: DatabaseSync, { bodies, report }: RowsOptions): void {
  const statement = database.prepare(`select ${EVENT_COLUMNS} from events order by seq`)
  for (const row of statement.iterate() as Iterable<EventToCheck>) {
    const body = bodies.readingsOf(row)
    if (body !== null) checkEvent(row, body, report)
  }
}

/**
 * Numbers are given without gaps, but for those that a copy or a backup left out, and no event is
 * ever deleted.
 */
function checkSequence(database: DatabaseSync, { lastSeq, report }: RowsOptions): void {
  const statement = database.prepare(
    `select seq as first, seq as last from messages not indexed
     union all select seq, seq from events not indexed
     union all select first, last from gaps order by first`,
  )
  let previous = 0
  for (const { first, last } of statement.iterate() as Iterable<{ first: number; last: number }>) {
    if (first <= previous) report(`row ${first}: is there twice.`)
    reportGap(previous, first, report)
    previous = Math.max(previous, last)
  }
  reportGap(previous, lastSeq + 1, report)
  if (previous > lastSeq) {
    report(`totals: last_seq is ${lastSeq}, and the last row is ${previous}.`)
  }
}

function reportGap(previous: number, next: number, report: Report): void {
  const first = previous + 1
  const last = next - 1
  if (first > last) return
  report(first === last ? `row ${first}: is missing.` : `rows ${first} to ${last}: are missing.`)
}

/** By a sort of the table: the index that should keep ids unique is not asked about itself. */
function checkUniqueness(database: DatabaseSync, report: Report): void {
  const messages = database.prepare(
    `select message_id, count(*) as count, min(seq) as seq from messages not indexed
     group by message_id, namespace having count(*) > 1`,
  )
  for (const row of messages.iterate() as Iterable<StoredRow & { count: number }>) {
    report(`${nameOf(row)}: the id is stored ${row.count} times.`)
  }
  const events = database.prepare(
    `select kind, count(*) as count, min(seq) as seq from events not indexed
     where key is not null group by kind, key having count(*) > 1`,
  )
  for (const { seq, kind, count } of events.iterate() as Iterable<
    EventToCheck & { count: number }
  >) {
    report(`row ${seq} (${kind}): the identity is stored ${count} times.`)
  }
}
