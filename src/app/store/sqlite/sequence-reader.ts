// The committed sequence: messages and all other events in the order in which they were committed.
import type { DatabaseSync } from 'node:sqlite'
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
      const messages = this.#messagesAfter(filter, after, limit)
      const others = this.#othersAfter(filter, after, limit)
      const part = nextPartOf({ messages, others, limit })
      const rows = this.#snapshot.whole(part.rows, [MESSAGE_TEXTS_SQL, EVENT_TEXTS_SQL])
      return sequencePageOf({ rows, more: part.more, after, lastSeq, last: lastSeq })
    })
  }

  addressesOf(keys: readonly string[]): KnownAs[] {
    const sql = `${ADDRESSES_SQL} in (select value from json_each(?))`
    return this.#snapshot.all(sql, [JSON.stringify(keys)])
  }

  #messagesAfter(filter: EventFilter, after: number, limit: number) {
    if (filter.kinds !== undefined && !filter.kinds.includes('message')) return []
    const { where, values } = sequenceConditions(filter, MESSAGES_ABOUT)
    return this.#snapshot.all<Listed<MessageRow>>(
      `${LISTED_MESSAGES_SQL} where seq > ? ${where} order by seq limit ?`,
      [after, ...values, limit],
    )
  }

  #othersAfter(filter: EventFilter, after: number, limit: number) {
    const kinds = filter.kinds ?? null
    const { where, values } = sequenceConditions(filter, EVENTS_ABOUT)
    return this.#snapshot.all<Listed<EventRow>>(
      `${LISTED_EVENTS_SQL} where seq > ?
         ${kinds === null ? '' : 'and kind in (select value from json_each(?))'} ${where}
       order by seq limit ?`,
      [after, ...(kinds === null ? [] : [JSON.stringify(kinds)]), ...values, limit],
    )
  }
}
