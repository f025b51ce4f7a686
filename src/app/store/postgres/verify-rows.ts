// Every stored message and event against the raw body it came in, and against what is derived from
// its own columns.
import { LATEST_EDIT } from '../sql/edits.ts'
import { checkEdited, type EditedToCheck } from '../verify/edits.ts'
import { checkEvent, EVENT_COLUMNS, type EventToCheck } from '../verify/events.ts'
import { checkMessage, MESSAGE_COLUMNS } from '../verify/messages.ts'
import { nameOf, type Report } from '../verify/verification.ts'
import { foldedOf, reactionIn } from './derived-columns.ts'
import type { StoredBodies } from './verify-bodies.ts'
import type { VerifyTransaction } from './verify-transaction.ts'

type Derived = { readonly folded: string | null }
type MessageRow = EditedToCheck & Derived & { readonly reaction_to: string | null }
type EventRow = EventToCheck & Derived

export type RowsOptions = {
  readonly transaction: VerifyTransaction
  readonly bodies: StoredBodies
  readonly report: Report
  readonly onRows: (count: number) => void
}

/** Checks all messages and returns how many there are. */
export async function checkMessages(options: RowsOptions): Promise<number> {
  const { transaction, bodies, report, onRows } = options
  const rows = transaction.pages<MessageRow>(
    `select ${MESSAGE_COLUMNS}, folded, reaction_to, edited_by, edited_text
     from messages left join lateral
       (select kind as edited_by, text as edited_text from events
        where events.message_id = messages.message_id and ${LATEST_EDIT}) as latest on true
     order by seq`,
  )
  let count = 0
  for await (const page of rows) {
    await bodies.match(page, (row, body) => checkMessage(row, body, report))
    for (const row of page) {
      checkEdited(row, report)
      if (row.folded !== foldedOf(row.text)) {
        report(`${nameOf(row)}: the folded text is not that of the text.`)
      }
      if (row.reaction_to !== reactionIn(row.content)) {
        report(`${nameOf(row)}: the column reaction_to is not what the content says.`)
      }
    }
    count += page.length
    onRows(count)
  }
  await checkReach('messages', count, options)
  return count
}

/** Checks all other events. */
export async function checkEvents(options: RowsOptions): Promise<void> {
  const { transaction, bodies, report } = options
  const rows = transaction.pages<EventRow>(
    `select ${EVENT_COLUMNS}, folded from events order by seq`,
  )
  let count = 0
  for await (const page of rows) {
    await bodies.match(page, (row, body) => checkEvent(row, body, report))
    for (const { seq, kind, text, folded } of page) {
      if (folded === foldedOf(text)) continue
      report(`row ${seq} (${kind}): the folded text is not that of the text.`)
    }
    count += page.length
  }
  await checkReach('events', count, options)
}

/** In the order of the sequence, rows are read by an index, which may have lost some. */
async function checkReach(
  table: 'messages' | 'events',
  read: number,
  { transaction, report }: RowsOptions,
): Promise<void> {
  const stored = await transaction.withoutIndexes(() =>
    transaction.number(`select count(*) from ${table}`),
  )
  if (stored === read) return
  report(`index ${table}_by_seq: leads to ${read} rows, and there are ${stored}.`)
}
