// A read connection: pages, single messages and statistics.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { fold } from '../../model/fold.ts'
import type { Instant } from '../../model/instant.ts'
import type {
  Message,
  MessageFilter,
  MessagePage,
  PageRequest,
  Position,
  Stats,
} from '../../model/message.ts'
import { type Conditions, conditionsBehind, conditionsFor } from './conditions.ts'
import { openReader } from './connection.ts'
import { attachSearchIndex } from './search-index.ts'

const TOP_SENDERS = 10

/** A message as its columns have it. */
export type MessageRow = {
  message_id: string
  sender: string
  recipient: string
  ts: string
  instant: string
  text: string | null
}

type Files = { readonly messages: string; readonly search: string }

/** Owns one read connection. Every method is synchronous and blocks. */
export class Reader {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor({ messages, search }: Files) {
    this.#database = openReader(messages)
    this.#database.function('fold', { deterministic: true }, (text) =>
      text === null ? null : fold(String(text)),
    )
    attachSearchIndex(this.#database, search)
  }

  page({ filter, order, limit, offset, after }: PageRequest): MessagePage {
    return this.#snapshot(() => {
      const readNumber = (sql: string) => this.#value(sql, [])
      const total = this.#total(filter, conditionsFor(filter, readNumber))
      if (offset >= total) return { messages: [], total, next: null }
      const { where, values } = conditionsBehind(filter, { order, after }, readNumber)
      const rows = this.#all<MessageRow>(
        `select message_id, sender, recipient, ts, instant, text from messages
         where seq in (
           select seq from messages ${where}
           order by instant ${order}, message_id ${order} limit ? offset ?)
         order by instant ${order}, message_id ${order}`,
        [...values, limit + 1, offset],
      )
      const shown = rows.slice(0, limit)
      const last = rows.length > limit ? shown.at(-1) : undefined
      return { messages: shown.map(toMessage), total, next: last ? toPosition(last) : null }
    })
  }

  find(messageId: string): Message | null {
    const [row] = this.#all<MessageRow>(
      `select message_id, sender, recipient, ts, instant, text from messages where message_id = ?`,
      [messageId],
    )
    return row === undefined ? null : toMessage(row)
  }

  stats(): Stats {
    return this.#snapshot(() => {
      const [totals] = this.#all<{ messages: number; senders: number }>(
        'select messages, senders from totals',
        [],
      )
      const topSenders = this.#all<{ from: string; count: number }>(
        `select sender as "from", messages as count from senders
         order by messages desc, sender limit ?`,
        [TOP_SENDERS],
      )
      return {
        totalMessages: totals?.messages ?? 0,
        sendersCount: totals?.senders ?? 0,
        topSenders,
        firstMessageTs: this.#timestampAt('asc'),
        lastMessageTs: this.#timestampAt('desc'),
      }
    })
  }

  close(): void {
    this.#database.close()
  }

  #timestampAt(order: 'asc' | 'desc'): string | null {
    const [row] = this.#all<{ ts: string }>(
      `select ts from messages order by instant ${order}, message_id ${order} limit 1`,
      [],
    )
    return row?.ts ?? null
  }

  /** From the counters where they suffice: no filter, or the sender alone. */
  #total(filter: MessageFilter, { where, values }: Conditions): number {
    const { from, ...others } = filter
    if (Object.keys(others).length > 0) {
      return this.#value(`select count(*) from messages ${where}`, values)
    }
    if (from === undefined) return this.#value('select messages from totals', [])
    return this.#value('select messages from senders where sender = ?', [from])
  }

  /** The number in the only column of the first row; 0 where there is none. */
  #value(sql: string, values: readonly (string | number)[]): number {
    const [row] = this.#all<Record<string, number>>(sql, values)
    return row === undefined ? 0 : (Object.values(row)[0] ?? 0)
  }

  #all<Row>(sql: string, values: readonly (string | number)[]): Row[] {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement.all(...values) as Row[]
  }

  /** Everything inside sees one state of the database. */
  #snapshot<Result>(work: () => Result): Result {
    this.#database.exec('begin')
    try {
      return work()
    } finally {
      this.#database.exec('commit')
    }
  }
}

/** The message of a row. */
export function toMessage({ message_id, sender, recipient, ts, text }: MessageRow): Message {
  return { messageId: message_id, from: sender, to: recipient, ts, text }
}

/** The place of a row in the order of the list. */
export function toPosition({ instant, message_id }: MessageRow): Position {
  return { instant: instant as Instant, messageId: message_id }
}
