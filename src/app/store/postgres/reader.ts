// What is asked of messages, on a connection that is lent.
import type { ClientBase } from 'pg'
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
import { countOf } from './counters.ts'
import { IS_REACTION_TO } from './reactions.ts'
import { searchCondition } from './search.ts'
import { Snapshot } from './snapshot.ts'
import { readStats } from './statistics.ts'

const REACTIONS_SQL = reactionsSql(IS_REACTION_TO)

/** Reads from a connection, each answer from one state of the database. */
export class Reader {
  readonly #snapshot: Snapshot

  constructor(client: ClientBase) {
    this.#snapshot = new Snapshot(client)
  }

  page(request: PageRequest): Promise<MessagePage> {
    return this.#snapshot.run(() =>
      request.filter.search === undefined ? this.#list(request) : this.#searchOnce(request),
    )
  }

  find(messageId: string): Promise<MessageDetail | null> {
    return this.#snapshot.run(async () => {
      const [row] = await this.#snapshot.all<WholeMessageRow>(FIND_MESSAGE_SQL, [messageId])
      if (row === undefined) return null
      return {
        message: toMessage(row),
        originalText: originalTextOf(row),
        ...(await this.#happenedTo(messageId)),
      }
    })
  }

  conversations({ limit, after }: ConversationRequest): Promise<ConversationPage> {
    return this.#snapshot.run(async () => {
      const people = await this.#people(limit + 1, after)
      const newest = await this.#newestOf(people.slice(0, limit))
      const fitting = fittingOf(newest)
      const more = people.length > limit || fitting.length < newest.length
      const whole = await this.#snapshot.whole(fitting, [MESSAGE_TEXTS_SQL])
      return conversationPageOf(people, whole, more)
    })
  }

  stats(): Promise<Stats> {
    return this.#snapshot.run(() => readStats(this.#snapshot))
  }

  async #list(request: PageRequest): Promise<MessagePage> {
    const total = await this.#total(request.filter)
    if (request.offset >= total) return { messages: [], total, next: null }
    const { sql, values } = pageQuery(request, searchCondition)
    return await this.#pageOf(await this.#snapshot.all(sql, values), request.limit, total)
  }

  async #searchOnce(request: PageRequest): Promise<MessagePage> {
    const { sql, values } = hitsQuery(request, searchCondition)
    const hits = await this.#snapshot.all<{ seq: number | null; total: number }>(sql, values)
    const found = hits.flatMap(({ seq }) => (seq === null ? [] : [String(seq)]))
    const rows = await this.#snapshot.all<Listed<MessageRow>>(
      `${LISTED_MESSAGES_SQL} where seq = any (?::bigint[]) ${ordered(request.order)}`,
      [found],
    )
    return await this.#pageOf(rows, request.limit, hits[0]?.total ?? 0)
  }

  /** Of rows, of which one more than `limit` was read to know whether there is another. */
  async #pageOf(
    rows: readonly Listed<MessageRow>[],
    limit: number,
    total: number,
  ): Promise<MessagePage> {
    const fitting = fittingOf(rows.slice(0, limit))
    const whole = await this.#snapshot.whole(fitting, [MESSAGE_TEXTS_SQL])
    return pageOf(whole, { more: fitting.length < rows.length, total })
  }

  async #happenedTo(messageId: string) {
    const found = {
      events: await this.#snapshot.all<Listed<EventRow>>(EVENTS_OF_MESSAGE_SQL, [
        messageId,
        messageId,
      ]),
      reactions: await this.#snapshot.all<Listed<MessageRow>>(REACTIONS_SQL, [messageId]),
    }
    const { events, reactions, shortened } = happenedOf(found)
    return {
      events: (await this.#snapshot.whole(events, [EVENT_TEXTS_SQL])).map(toEvent),
      reactions: (await this.#snapshot.whole(reactions, [MESSAGE_TEXTS_SQL])).map(toMessage),
      shortened,
    }
  }

  /**
   * Whoever was active since the last folding is looked at in person; of the others as many as
   * these might leave places for.
   */
  #people(limit: number, after: ConversationRequest['after']) {
    const behind = after === undefined ? '' : 'where (last_instant, key) < (?, ?)'
    // The first bound is there for the index, which knows no keys.
    const from =
      after === undefined ? '' : 'where last_instant <= ? and (last_instant, key) < (?, ?)'
    return this.#snapshot.all<PersonRow>(
      `with changed as (
         select contact, sum(messages) as messages, max(last_instant) as last_instant
         from activity_changes group by contact
       ), folded as (
         select contact from (
           select contact from activity join contacts on contacts.id = activity.contact ${from}
           order by last_instant desc, key desc
           limit ? + (select count(*) from changed)
         ) as newest
         union select contact from changed
       ), people as (
         select contacts.id, key,
           coalesce(activity.messages, 0) + coalesce(changed.messages, 0) as messages,
           greatest(activity.last_instant, changed.last_instant) as last_instant
         from folded join contacts on contacts.id = folded.contact
         left join activity on activity.contact = folded.contact
         left join changed on changed.contact = folded.contact
       )
       select id, key, messages::bigint as messages from people ${behind}
       order by last_instant desc, key desc limit ?`,
      after === undefined
        ? [limit, limit]
        : [after.instant, after.instant, after.key, limit, after.instant, after.key, limit],
    )
  }

  /** The newest message of each of these people, in their order; none where there is none. */
  async #newestOf(people: readonly PersonRow[]): Promise<readonly Listed<MessageRow>[]> {
    const rows = await this.#snapshot.all<Listed<MessageRow>>(
      `${LISTED_MESSAGES_SQL} where seq in (
         select (select seq from messages where contact = person.id
           order by instant desc, message_id desc, seq desc limit 1)
         from unnest(?::bigint[]) as person(id))`,
      [people.map(({ id }) => String(id))],
    )
    const byKey = new Map(rows.map((row) => [row.contact_key, row]))
    return people.flatMap(({ key }) => byKey.get(key) ?? [])
  }

  /** From the counters where they suffice: no filter, or one that is counted. */
  #total(filter: MessageFilter): Promise<number> {
    const [name, ...others] = Object.keys(filter)
    if (name === undefined) return countOf(this.#snapshot, 'kind', 'message')
    const { from, type, contact } = filter
    if (others.length === 0 && from !== undefined) return countOf(this.#snapshot, 'sender', from)
    if (others.length === 0 && type !== undefined) return countOf(this.#snapshot, 'type', type)
    if (others.length === 0 && contact !== undefined) {
      return this.#snapshot.number(
        `select sum(messages) from (
           select contact, messages from activity union all
           select contact, messages from activity_changes
         ) as each where contact in (${CONTACTS_SQL})`,
        contactValues(contact),
      )
    }
    const { where, values } = conditionsFor(filter, searchCondition)
    return this.#snapshot.number(`select count(*) from messages ${where}`, values)
  }
}
