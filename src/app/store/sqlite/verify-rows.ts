// Every stored message against the raw body it came in, and the sequence for gaps.
import { hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { IncomingMessage } from '../../model/message.ts'
import { nameOf, type Report } from './verify-findings.ts'

export type StoredRow = {
  readonly seq: number
  readonly message_id: string
  readonly sender: string
  readonly recipient: string
  readonly ts: string
  readonly instant: string
  readonly text: string | null
  readonly body_sha256: Uint8Array
  readonly body: Uint8Array
}

export type RowsOptions = {
  /** The last sequence number that was given to a message. */
  readonly lastSeq: number
  readonly parse: (body: Buffer) => IncomingMessage
  readonly report: Report
  readonly onRow: (row: StoredRow, count: number) => void
}

/** Checks all rows and returns how many there are. */
export function checkRows(database: DatabaseSync, options: RowsOptions): number {
  const { lastSeq, report, onRow } = options
  const statement = database.prepare(
    `select seq, message_id, sender, recipient, ts, instant, text, body_sha256, body
     from messages order by seq`,
  )
  let count = 0
  let previous = 0
  for (const row of statement.iterate() as Iterable<StoredRow>) {
    count++
    reportGap(previous, row.seq, report)
    previous = row.seq
    checkRow(row, options)
    onRow(row, count)
  }
  reportGap(previous, lastSeq + 1, report)
  if (previous > lastSeq) {
    report(`totals: last_seq is ${lastSeq}, and the last row is ${previous}.`)
  }
  checkUniqueness(database, report)
  return count
}

/** Numbers are given without gaps and nothing is ever deleted. */
function reportGap(previous: number, next: number, report: Report): void {
  const first = previous + 1
  const last = next - 1
  if (first > last) return
  report(first === last ? `row ${first}: is missing.` : `rows ${first} to ${last}: are missing.`)
}

function checkRow(row: StoredRow, { parse, report }: RowsOptions): void {
  const body = Buffer.from(row.body.buffer, row.body.byteOffset, row.body.byteLength)
  if (!hash('sha256', body, 'buffer').equals(row.body_sha256)) {
    report(`${nameOf(row)}: the body does not have the SHA-256 stored with it.`)
  }
  const expected = columnsFrom(body, parse)
  if (expected === null) {
    report(`${nameOf(row)}: the body holds no valid message.`)
    return
  }
  for (const [column, value] of Object.entries(expected)) {
    if (row[column as keyof StoredRow] === value) continue
    report(`${nameOf(row)}: the column ${column} is not what the body says.`)
  }
}

function columnsFrom(body: Buffer, parse: RowsOptions['parse']): Partial<StoredRow> | null {
  try {
    const { messageId, from, to, ts, instant, text } = parse(body)
    return { message_id: messageId, sender: from, recipient: to, ts, instant, text }
  } catch {
    return null
  }
}

/** By a sort of the table: the index that should keep ids unique is not asked about itself. */
function checkUniqueness(database: DatabaseSync, report: Report): void {
  const statement = database.prepare(
    `select message_id, count(*) as count, min(seq) as seq from messages not indexed
     group by message_id having count(*) > 1`,
  )
  for (const row of statement.iterate() as Iterable<StoredRow & { count: number }>) {
    report(`${nameOf(row)}: the id is stored ${row.count} times.`)
  }
}
