// A read connection: pages, single messages, conversations and statistics.
import type { DatabaseSync } from 'node:sqlite'
import { fold } from '../../model/fold.ts'
import type {
  ConversationPage,
  MessageDetail,
  MessageFilter,
  MessagePage,
  PageRequest,
  Stats,
} from '../../model/message.ts'
import { CONTACTS_SQL, conditionsFor, contactValues, ordered } from '../sql/conditions.ts'
import { EVENTS_OF_MESSAGE_SQL, happenedOf, reactionsSql } from '../sql/happened.ts'
import { fittingOf, type Listed } from '../sql/long-texts.ts'
import { FIND_MESSAGE_SQL, hitsQuery, pageQuery } from '../sql/queries.ts'
import {
  conversationPageOf,
  EVENT_TEXTS_SQL,
  type EventRow,
  LISTED_MESSAGES_SQL,
  MESSAGE_TEXTS_SQL,
  type MessageRow,
  originalTextOf,
  type PersonRow,
  pageOf,
  toEvent,
  toMessage,
  type WholeMessageRow,
} from '../sql/rows.ts'
import type { ConversationRequest } from '../store.ts'
import { openReader } from './connection.ts'
import { IS_REACTION_TO } from './reactions.ts'
import { attachSearchIndex, searchCondition, WATERMARK_SQL } from './search-index.ts'
import { Snapshot } from './snapshot.ts'
import { readStats } from './statistics.ts'

type Files = { readonly messages: string; readonly search: string }

const NEWEST_SQL = `${LISTED_MESSAGES_SQL} where contact = ? ${ordered('desc')} limit 1`

const REACTIONS_SQL = reactionsSql(IS_REACTION_TO)

/** Owns one read connection. Every method is synchronous and blocks. */
export class Reader {
  readonly #database: DatabaseSync
  readonly #snapshot: Snapshot
  readonly #search = searchCondition(() => this.#snapshot.number(WATERMARK_SQL, []))

  constructor({ messages, search }: Files) {
    this.#database = openReader(messages)
    this.#database.function('fold', { deterministic: true }, (text) =>
      text === null ? null : fold(String(text)),
    )
    attachSearchIndex(this.#database, search)
    this.#snapshot = new Snapshot(this.#database)
  }

  page(request: PageRequest): MessagePage {
    return this.#snapshot.run(() =>
      request.filter.search === undefined ? this.#list(request) : this.#searchOnce(request),
    )
  }

  find(messageId: string): MessageDetail | null {
    return this.#snapshot.run(() => {
      const [row] = this.#snapshot.all<WholeMessageRow>(FIND_MESSAGE_SQL, [messageId])
      if (row === undefined) return null
      return {
        message: toMessage(row),
        originalText: originalTextOf(row),
        ...this.#happenedTo(messageId),
      }
    })
  }

  conversations({ limit, after }: ConversationRequest): ConversationPage {
    return this.#snapshot.run(() => {
      const behind = after === undefined ? '' : 'and (last_instant, key) < (?, ?)'
      const people = this.#snapshot.all<PersonRow>(
        `select id, key, messages from contacts where last_instant is not null ${behind}
         order by last_instant desc, key desc limit ?`,
        [...(after === undefined ? [] : [after.instant, after.key]), limit + 1],
      )
      const newest = people.slice(0, limit).flatMap(({ id }) => this.#newestOf(id))
      const fitting = fittingOf(newest)
      const more = people.length > limit || fitting.length < newest.length
      const whole = this.#snapshot.whole(fitting, [MESSAGE_TEXTS_SQL])
      return conversationPageOf(people, whole, more)
    })
  }

  stats(): Stats {
    return this.#snapshot.run(() => readStats(this.#snapshot))
  }

  close(): void {
    this.#database.close()
  }

  #list(request: PageRequest): MessagePage {
    const total = this.#total(request.filter)
    if (request.offset >= total) return { messages: [], total, next: null }
    const { sql, values } = pageQuery(request, this.#search)
    return this.#pageOf(this.#snapshot.all(sql, values), request.limit, total)
  }

  #searchOnce(request: PageRequest): MessagePage {
    const { sql, values } = hitsQuery(request, this.#search)
    const hits = this.#snapshot.all<{ seq: number | null; total: number }>(sql, values)
    const found = hits.flatMap(({ seq }) => (seq === null ? [] : [seq]))
    const rows = this.#snapshot.all<Listed<MessageRow>>(
      `${LISTED_MESSAGES_SQL} where seq in (select value from json_each(?)) ${ordered(request.order)}`,
      [JSON.stringify(found)],
    )
    return this.#pageOf(rows, request.limit, hits[0]?.total ?? 0)
  }

  /** Of rows, of which one more than `limit` was read to know whether there is another. */
  #pageOf(rows: readonly Listed<MessageRow>[], limit: number, total: number): MessagePage {
    const fitting = fittingOf(rows.slice(0, limit))
    const whole = this.#snapshot.whole(fitting, [MESSAGE_TEXTS_SQL])
    return pageOf(whole, { more: fitting.length < rows.length, total })
  }

  /** The newest message of a person; none where there is none. */
  #newestOf(contact: number): Listed<MessageRow>[] {
    return this.#snapshot.all(NEWEST_SQL, [contact])
  }

  #happenedTo(messageId: string) {
    const found = {
      events: this.#snapshot.all<Listed<EventRow>>(EVENTS_OF_MESSAGE_SQL, [messageId, messageId]),
      reactions: this.#snapshot.all<Listed<MessageRow>>(REACTIONS_SQL, [messageId]),
    }
    const { events, reactions, shortened } = happenedOf(found)
    return {
      events: this.#snapshot.whole(events, [EVENT_TEXTS_SQL]).map(toEvent),
      reactions: this.#snapshot.whole(reactions, [MESSAGE_TEXTS_SQL]).map(toMessage),
      shortened,
    }
  }

  /** From the counters where they suffice: no filter, or one that is counted. */
  #total(filter: MessageFilter): number {
    const [name, ...others] = Object.keys(filter)
    if (name === undefined) return this.#snapshot.number('select messages from totals', [])
    const { from, type, contact } = filter
    if (others.length === 0 && from !== undefined) {
      return this.#snapshot.number('select messages from senders where sender = ?', [from])
    }
    if (others.length === 0 && type !== undefined) {
      return this.#snapshot.number("select count from counts where counter = 'type' and key = ?", [
        type,
      ])
    }
    if (others.length === 0 && contact !== undefined) {
      const sql = `select coalesce(sum(messages), 0) from contacts where id in (${CONTACTS_SQL})`
      return this.#snapshot.number(sql, contactValues(contact))
    }
    const { where, values } = conditionsFor(filter, this.#search)
    return this.#snapshot.number(`select count(*) from messages ${where}`, values)
  }
}
