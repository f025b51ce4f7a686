// Every stored message and event against the raw body it came in, and the sequence for gaps.
import type { DatabaseSync } from 'node:sqlite'
import type { IncomingEvent, MessageEvent } from '../../model/event.ts'
import { identityOf } from '../sql/identity.ts'
import type { StoredBodies } from './verify-bodies.ts'
import { nameOf, type Report } from './verify-findings.ts'

export type StoredRow = {
  readonly seq: number
  readonly message_id: string
  readonly namespace: string
  readonly intake: number
  readonly type: string
  readonly direction: string
  readonly sender: string
  readonly recipient: string
  readonly phone_number_id: string | null
  readonly ts: string
  readonly instant: string
  readonly text: string | null
  readonly edited: number
  readonly original_text: string | null
  /** The event that changed its text last; null where none did. */
  readonly changed_at: number | null
}

type EventRow = {
  readonly seq: number
  readonly kind: string
  readonly type: string
  readonly key: string | null
  readonly intake: number
  readonly message_id: string | null
}

export type RowsOptions = {
  /** The last sequence number that was given. */
  readonly lastSeq: number
  readonly bodies: StoredBodies
  readonly report: Report
  readonly onRow: (row: StoredRow, count: number) => void
}

/** A message that stood for its content until that followed in another request. */
const FILLED = 'history:content'

/** Checks all messages and returns how many there are. */
export function checkRows(database: DatabaseSync, options: RowsOptions): number {
  const statement = database.prepare(
    `select seq, message_id, namespace, intake, type, direction, sender, recipient,
       phone_number_id, ts, instant, text, edited, original_text,
       (select max(seq) from events where events.message_id = messages.message_id
          and kind in ('edit', 'revoke', 'history')) as changed_at
     from messages order by seq`,
  )
  let count = 0
  for (const row of statement.iterate() as Iterable<StoredRow>) {
    count++
    checkMessage(row, options)
    options.onRow(row, count)
  }
  checkEvents(database, options)
  checkSequence(database, options)
  checkUniqueness(database, options.report)
  return count
}

function checkMessage(row: StoredRow, { bodies, report }: RowsOptions): void {
  const events = bodies.eventsOf(row.intake)
  if (events === null) return
  const event = events.find((candidate): candidate is MessageEvent => isOf(candidate, row))
  if (event === undefined) {
    report(`${nameOf(row)}: the body holds no such message.`)
    return
  }
  if (event.type === 'media_placeholder') return
  const text = row.edited === 0 ? row.text : row.original_text
  for (const [column, value] of Object.entries(columnsFrom(event))) {
    const stored = column === 'text' ? text : row[column as keyof StoredRow]
    if (stored !== value) report(`${nameOf(row)}: the column ${column} is not what the body says.`)
  }
}

function isOf(event: IncomingEvent, { message_id, namespace }: StoredRow): boolean {
  return event.kind === 'message' && event.messageId === message_id && event.namespace === namespace
}

function columnsFrom(event: MessageEvent) {
  return {
    type: event.type,
    direction: event.direction,
    sender: event.from,
    recipient: event.to,
    phone_number_id: event.phoneNumberId,
    ts: event.ts,
    instant: event.instant,
    text: event.text,
  }
}

function checkEvents(database: DatabaseSync, { bodies, report }: RowsOptions): void {
  const statement = database.prepare(
    'select seq, kind, type, key, intake, message_id from events order by seq',
  )
  for (const row of statement.iterate() as Iterable<EventRow>) {
    if (row.type === FILLED) continue
    const events = bodies.eventsOf(row.intake)
    if (events === null || events.some((event) => isEventOf(event, row))) continue
    report(`row ${row.seq} (${row.kind}): the body holds no such event.`)
  }
}

function isEventOf(event: IncomingEvent, row: EventRow): boolean {
  if (event.kind === 'message' || event.kind !== row.kind) return false
  const type = event.kind === 'status' ? event.status : 'type' in event ? event.type : event.kind
  return identityOf(event) === row.key && type === row.type
}

/** Numbers are given without gaps and no event is ever deleted. */
function checkSequence(database: DatabaseSync, { lastSeq, report }: RowsOptions): void {
  const statement = database.prepare(
    'select seq from messages not indexed union all select seq from events not indexed order by seq',
  )
  let previous = 0
  for (const { seq } of statement.iterate() as Iterable<{ seq: number }>) {
    if (seq === previous) report(`row ${seq}: is there twice.`)
    reportGap(previous, seq, report)
    previous = seq
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
  for (const { seq, kind, count } of events.iterate() as Iterable<EventRow & { count: number }>) {
    report(`row ${seq} (${kind}): the identity is stored ${count} times.`)
  }
}
