// Parts of the sequence: messages and other events, merged by their numbers.
import type { SequenceEntry, SequencePage } from '../../model/event.ts'
import { type Listed, partOf } from './long-texts.ts'
import { type EventRow, type MessageRow, toEvent, toMessage } from './rows.ts'

type EntryRow = MessageRow | EventRow

type Found = {
  /** Up to `limit` of each, in the order of their numbers. */
  readonly messages: readonly Listed<MessageRow>[]
  readonly others: readonly Listed<EventRow>[]
  readonly limit: number
}

/** The rows of the next part, in their order, and whether there may be more behind it. */
export function nextPartOf({ messages, others, limit }: Found) {
  return partOf(
    [...messages, ...others].sort((a, b) => a.seq - b.seq),
    limit,
  )
}

type SequencePart = {
  /** In the order of their numbers. */
  readonly rows: readonly EntryRow[]
  /** Whether there may be more up to `lastSeq`. */
  readonly more: boolean
  readonly after: number
  /** Up to here the sequence is complete, and was looked at. */
  readonly lastSeq: number
  /** The last number that was given. */
  readonly last: number
}

/** A part of the sequence. */
export function sequencePageOf({ rows, more, after, lastSeq, last }: SequencePart): SequencePage {
  const end = more ? rows.at(-1)?.seq : undefined
  return { entries: rows.map(toEntry), next: end ?? Math.max(after, lastSeq), more, last }
}

function toEntry(row: EntryRow): SequenceEntry {
  return 'kind' in row
    ? { kind: 'event', event: toEvent(row) }
    : { kind: 'message', intake: row.intake, message: toMessage(row) }
}
