// The committed sequence, up to where no number can appear any more.
import type { ClientBase } from 'pg'
import type { KnownAs } from '../../model/contact.ts'
import type { EventFilter, SequencePage } from '../../model/event.ts'
import { ADDRESSES_SQL, sequenceConditions } from '../sql/conditions.ts'
import type { Listed } from '../sql/long-texts.ts'
import {
  EVENT_TEXTS_SQL,
  type EventRow,
  LISTED_EVENTS_SQL,
  LISTED_MESSAGES_SQL,
  MESSAGE_TEXTS_SQL,
  type MessageRow,
} from '../sql/rows.ts'
import { nextPartOf, sequencePageOf } from '../sql/sequence.ts'
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
    const range = { after, limit, lastSeq }
    const messages = await this.#messages(filter, range)
    const others = await this.#others(filter, range)
    const part = nextPartOf({ messages, others, limit })
    const rows = await this.#snapshot.whole(part.rows, [MESSAGE_TEXTS_SQL, EVENT_TEXTS_SQL])
    return sequencePageOf({ rows, more: part.more, after, lastSeq, last })
  }

  addressesOf(keys: readonly string[]): Promise<KnownAs[]> {
    return this.#snapshot.all(`${ADDRESSES_SQL} = any (?)`, [keys])
  }

  async #messages(filter: EventFilter, { after, limit, lastSeq }: Range) {
    if (filter.kinds !== undefined && !filter.kinds.includes('message')) return []
    const { where, values } = sequenceConditions(filter)
    return await this.#snapshot.all<Listed<MessageRow>>(
      `${LISTED_MESSAGES_SQL} where seq > ? and seq <= ? ${where} order by seq limit ?`,
      [after, lastSeq, ...values, limit],
    )
  }

  #others(filter: EventFilter, { after, limit, lastSeq }: Range) {
    const { kinds } = filter
    const { where, values } = sequenceConditions(filter)
    return this.#snapshot.all<Listed<EventRow>>(
      `${LISTED_EVENTS_SQL} where seq > ? and seq <= ?
         ${kinds === undefined ? '' : 'and kind = any (?)'} ${where}
       order by seq limit ?`,
      [after, lastSeq, ...(kinds === undefined ? [] : [kinds]), ...values, limit],
    )
  }
}

type Range = { readonly after: number; readonly limit: number; readonly lastSeq: number }
