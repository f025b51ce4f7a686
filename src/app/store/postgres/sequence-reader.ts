// The committed sequence, up to where no number can appear any more.
import type { ClientBase } from 'pg'
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

  constructor(client: ClientBase) {
    this.#snapshot = new Snapshot(client)
  }

  lastSeq(): Promise<number> {
    return this.#snapshot.number('select settled_seq_1()', [])
  }

  /** The bound comes first, in a statement of its own: whatever it settles, the next ones see. */
  async eventsAfter({ filter, after, limit }: SequenceRequest): Promise<SequencePage> {
    const settled = await this.lastSeq()
    const part = { after, limit, settled }
    const entries = [
      ...(await this.#messages(filter, part)),
      ...(await this.#others(filter, part)),
    ].sort((a, b) => a.seq - b.seq)
    const shown = entries.slice(0, limit)
    const last = shown.length === limit ? shown.at(-1) : undefined
    return {
      entries: shown.map(({ entry }) => entry),
      next: last?.seq ?? Math.max(after, settled),
    }
  }

  async #messages(filter: EventFilter, { after, limit, settled }: Part) {
    if (filter.kinds !== undefined && !filter.kinds.includes('message')) return []
    const { where, values } = sequenceConditions(filter)
    const rows = await this.#snapshot.all<MessageRow>(
      `${MESSAGE_SQL} where seq > ? and seq <= ? ${where} order by seq limit ?`,
      [after, settled, ...values, limit],
    )
    return rows.map((row) => ({
      seq: row.seq,
      entry: { kind: 'message' as const, intake: row.intake, message: toMessage(row) },
    }))
  }

  async #others(filter: EventFilter, { after, limit, settled }: Part) {
    const { kinds } = filter
    const { where, values } = sequenceConditions(filter)
    const rows = await this.#snapshot.all<EventRow>(
      `${EVENT_SQL} where seq > ? and seq <= ?
         ${kinds === undefined ? '' : 'and kind = any (?)'} ${where}
       order by seq limit ?`,
      [after, settled, ...(kinds === undefined ? [] : [kinds]), ...values, limit],
    )
    return rows.map((row) => ({
      seq: row.seq,
      entry: { kind: 'event' as const, event: toEvent(row) },
    }))
  }
}

type Part = { readonly after: number; readonly limit: number; readonly settled: number }
