// The committed sequence, up to where no number can appear any more.
import type { ClientBase } from 'pg'
import type { KnownAs } from '../../model/contact.ts'
import type { EventFilter, SequencePage } from '../../model/event.ts'
import { ADDRESSES_SQL, sequenceConditions } from '../sql/conditions.ts'
import {
  EVENT_SQL,
  type EventRow,
  MESSAGE_SQL,
  type MessageRow,
  sequencePageOf,
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

  /** The bounds come first, in a statement of their own: whatever is settled, the next ones see. */
  async eventsAfter({ filter, after, limit }: SequenceRequest): Promise<SequencePage> {
    const [bounds] = await this.#snapshot.all<{ settled: number; given: number }>(
      'select settled_seq_1() as settled, last_given_seq_1() as given',
      [],
    )
    const { settled: lastSeq, given: last } = bounds ?? { settled: 0, given: 0 }
    const part = { after, limit, lastSeq }
    const messages = await this.#messages(filter, part)
    const others = await this.#others(filter, part)
    return sequencePageOf({ messages, others, ...part, last })
  }

  addressesOf(keys: readonly string[]): Promise<KnownAs[]> {
    return this.#snapshot.all(`${ADDRESSES_SQL} = any (?)`, [keys])
  }

  async #messages(filter: EventFilter, { after, limit, lastSeq }: Part) {
    if (filter.kinds !== undefined && !filter.kinds.includes('message')) return []
    const { where, values } = sequenceConditions(filter)
    return await this.#snapshot.all<MessageRow>(
      `${MESSAGE_SQL} where seq > ? and seq <= ? ${where} order by seq limit ?`,
      [after, lastSeq, ...values, limit],
    )
  }

  #others(filter: EventFilter, { after, limit, lastSeq }: Part) {
    const { kinds } = filter
    const { where, values } = sequenceConditions(filter)
    return this.#snapshot.all<EventRow>(
      `${EVENT_SQL} where seq > ? and seq <= ?
         ${kinds === undefined ? '' : 'and kind = any (?)'} ${where}
       order by seq limit ?`,
      [after, lastSeq, ...(kinds === undefined ? [] : [kinds]), ...values, limit],
    )
  }
}

type Part = { readonly after: number; readonly limit: number; readonly lastSeq: number }
