// The committed sequence, up to where no number can appear any more.
import type { ClientBase } from 'pg'
import { StoreUnavailableError } from '../../errors.ts'
import type { KnownAs } from '../../model/contact.ts'
import type { EventFilter, SequencePage } from '../../model/event.ts'
import {
  ADDRESSES_SQL,
  EVENTS_ABOUT,
  messagesAbout,
  sequenceConditions,
} from '../sql/conditions.ts'
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
import { IS_REACTION_TO } from './reactions.ts'
import { Snapshot } from './snapshot.ts'

const MESSAGES_ABOUT = messagesAbout(IS_REACTION_TO)

/** Reads the sequence on a connection that it is lent. */
export class SequenceReader {
  readonly #snapshot: Snapshot

  constructor(client: ClientBase) {
    this.#snapshot = new Snapshot(client)
  }

  async lastSeq(): Promise<number> {
    return (await this.#bounds()).settled
  }

  /** The bounds come first, in a statement of their own: whatever is settled, the next ones see. */
  async eventsAfter({ filter, after, limit }: SequenceRequest): Promise<SequencePage> {
    const { settled: lastSeq, given: last } = await this.#bounds()
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

  /**
   * How far the sequence is settled, and the last number that was given. A standby knows neither: it
   * has no locks of who stores, and hears of numbers before they are given.
   */
  async #bounds(): Promise<Bounds> {
    const [bounds] = await this.#snapshot.all<Bounds & { isStandby: boolean }>(
      `select settled_seq_1() as settled, last_given_seq_1() as given,
         pg_is_in_recovery() as "isStandby"`,
      [],
    )
    if (bounds === undefined) throw new Error('A query without a table has one row.')
    if (bounds.isStandby) {
      throw new StoreUnavailableError(
        'The server is a standby, and the sequence can only be read on its primary.',
      )
    }
    return bounds
  }

  async #messages(filter: EventFilter, { after, limit, lastSeq }: Range) {
    if (filter.kinds !== undefined && !filter.kinds.includes('message')) return []
    const { where, values } = sequenceConditions(filter, MESSAGES_ABOUT)
    return await this.#snapshot.all<Listed<MessageRow>>(
      `${LISTED_MESSAGES_SQL} where seq > ? and seq <= ? ${where} order by seq limit ?`,
      [after, lastSeq, ...values, limit],
    )
  }

  #others(filter: EventFilter, { after, limit, lastSeq }: Range) {
    const { kinds } = filter
    const { where, values } = sequenceConditions(filter, EVENTS_ABOUT)
    return this.#snapshot.all<Listed<EventRow>>(
      `${LISTED_EVENTS_SQL} where seq > ? and seq <= ?
         ${kinds === undefined ? '' : 'and kind = any (?)'} ${where}
       order by seq limit ?`,
      [after, lastSeq, ...(kinds === undefined ? [] : [kinds]), ...values, limit],
    )
  }
}

type Bounds = { readonly settled: number; readonly given: number }

type Range = { readonly after: number; readonly limit: number; readonly lastSeq: number }
