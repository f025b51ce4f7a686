// The committed sequence: messages and all other events in the order in which they were committed.
import type { DatabaseSync } from 'node:sqlite'
import type { EventFilter, SequencePage } from '../../model/event.ts'
import { sequenceConditions } from '../sql/conditions.ts'
import {
  EVENT_SQL,
  type EventRow,
  MESSAGE_SQL,
  type MessageRow,
  toEvent,
  toMessage,
} from '../sql/rows.ts'
import type { SequenceRequest } from '../store.ts'
import { Snapshot } from './snapshot.ts'

/** Reads the sequence on a connection that it is lent. */
export class SequenceReader {
  readonly #snapshot: Snapshot

  constructor(database: DatabaseSync) {
    this.#snapshot = new Snapshot(database)
  }

  lastSeq(): number {
    return this.#snapshot.number('select last_seq from totals', [])
  }

  /** Both tables, merged: there is one writer, so whoever sees a number sees all before it. */
  eventsAfter({ filter, after, limit }: SequenceRequest): SequencePage {
    return this.#snapshot.run(() => {
      const lastSeq = this.lastSeq()
      const entries = [
        ...this.#messagesAfter(filter, after, limit),
        ...this.#othersAfter(filter, after, limit),
      ].sort((a, b) => a.seq - b.seq)
      const shown = entries.slice(0, limit)
      const last = shown.length === limit ? shown.at(-1) : undefined
      return {
        entries: shown.map(({ entry }) => entry),
        next: last?.seq ?? Math.max(after, lastSeq),
      }
    })
  }

  #messagesAfter(filter: EventFilter, after: number, limit: number) {
    if (filter.kinds !== undefined && !filter.kinds.includes('message')) return []
    const { where, values } = sequenceConditions(filter)
    return this.#snapshot
      .all<MessageRow>(`${MESSAGE_SQL} where seq > ? ${where} order by seq limit ?`, [
        after,
        ...values,
        limit,
      ])
      .map((row) => ({
        seq: row.seq,
        entry: { kind: 'message' as const, intake: row.intake, message: toMessage(row) },
      }))
  }

  #othersAfter(filter: EventFilter, after: number, limit: number) {
    const kinds = filter.kinds ?? null
    const { where, values } = sequenceConditions(filter)
    return this.#snapshot
      .all<EventRow>(
        `${EVENT_SQL} where seq > ?
           ${kinds === null ? '' : 'and kind in (select value from json_each(?))'} ${where}
         order by seq limit ?`,
        [after, ...(kinds === null ? [] : [JSON.stringify(kinds)]), ...values, limit],
      )
      .map((row) => ({ seq: row.seq, entry: { kind: 'event' as const, event: toEvent(row) } }))
  }
}
