// Tells the other replicas that something was committed, and hears it from them. A wake-up only:
// the tables are the truth, and a lost one costs whoever waits a polling interval.
import { randomUUID } from 'node:crypto'
import type { Client, Notification, Pool } from 'pg'
import { createClient, leave, withinTime } from './connections.ts'

const CHANNEL = 'whatsapp_webhook_committed'
/**
 * From a commit to its notification, in ms. PostgreSQL commits transactions that notify one by
 * one, so this is a statement of its own.
 */
const GATHER_MS = 25
const RECONNECT_MS = 1000
/** How often the connection is asked: one whose other end is gone is as silent as an unused one. */
const HEARTBEAT_MS = 5000
/** How long its answer may take. */
const ANSWER_MS = 2000

export type WakeUpOptions = {
  readonly url: string
  /** Where notifications are sent from. */
  readonly pool: Pool
  readonly onCommitted: () => void
}

/** One listening connection, made anew whenever it is lost. */
export class WakeUp {
  readonly #options: WakeUpOptions
  readonly #self = randomUUID()
  #client: Client | null = null
  #reconnect: NodeJS.Timeout | null = null
  #notify: NodeJS.Timeout | null = null
  #heartbeat: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: WakeUpOptions) {
    this.#options = options
  }

  start(): void {
    void this.#listen()
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS)
  }

  /** Tells the others within some ms; calls in between are one. */
  committed(): void {
    if (this.#notify !== null || this.#closed) return
    this.#notify = setTimeout(() => {
      this.#notify = null
      const values = [CHANNEL, this.#self]
      this.#options.pool.query('select pg_notify($1, $2)', values).catch(() => {})
    }, GATHER_MS)
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#reconnect !== null) clearTimeout(this.#reconnect)
    if (this.#notify !== null) clearTimeout(this.#notify)
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    await this.#client?.end().catch(() => {})
  }

  async #listen(): Promise<void> {
    const client = createClient(this.#options.url)
    this.#client = client
    // The end of one that was left may come late, when there is another already.
    client.once('end', () => {
      if (this.#client === client) this.#retry()
    })
    client.on('notification', ({ payload }: Notification) => {
      if (payload !== this.#self) this.#options.onCommitted()
    })
    try {
      await client.connect()
      await client.query(`listen ${CHANNEL}`)
      // What was committed while nobody listened.
      this.#options.onCommitted()
    } catch {
      leave(client)
      this.#retry()
    }
  }

  /** Ends a connection that does not answer, so that another one is made. */
  async #beat(): Promise<void> {
    const client = this.#client
    if (client === null || this.#reconnect !== null) return
    await withinTime(client, ANSWER_MS, () => client.query('select')).catch(() => {})
  }

  #retry(): void {
    if (this.#closed || this.#reconnect !== null) return
    this.#reconnect = setTimeout(() => {
      this.#reconnect = null
      void this.#listen()
    }, RECONNECT_MS)
  }
}
