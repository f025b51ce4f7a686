// Connections that read, each listened to while it does: a link can freeze and a server vanish
// without a word, and the time limit of a statement is as long as a search of everything may take.
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientBase, Pool, PoolClient } from 'pg'
import { createClient, createPool, leave, lend, withinTime } from './connections.ts'
import { isConnectionCode, sqlState } from './faults.ts'

/** So long nothing may arrive until the server is asked whether it is at work, in ms. */
const SILENCE_MS = 2000
/** How long it may take to answer that, on a connection of its own. */
const ANSWER_MS = 2000

/** Its process on the server, and since when, by the clock of `performance` in ms. */
type Session = { readonly pid: number; readonly madeMs: number }

/** A pool of which no read waits for a connection that nobody works for any more. */
export class ReadPool {
  readonly pool: Pool
  readonly #url: string
  readonly #sessions = new WeakMap<ClientBase, Session>()
  /** When a connection was last found dead: those that are older may be so too. */
  #lostMs = 0

  constructor(url: string, max: number) {
    this.#url = url
    this.pool = createPool(url, max, (client, pid) => {
      this.#sessions.set(client, { pid, madeMs: performance.now() })
    })
  }

  /** Runs `work` on a connection; rejects as it does, and where the connection is lost meanwhile. */
  async use<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const { client, pid } = await this.#take()
    return await lend(client, () => this.#attended(client, pid, () => work(client)))
  }

  async #take(): Promise<{ readonly client: PoolClient; readonly pid: number }> {
    for (;;) {
      const client = await this.pool.connect()
      const session = this.#sessions.get(client)
      if (session !== undefined && session.madeMs >= this.#lostMs)
        return { client, pid: session.pid }
      client.release(true)
    }
  }

  async #attended<Result>(
    client: PoolClient,
    pid: number,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const attending = new AbortController()
    void this.#attend(client, pid, attending.signal)
    try {
      return await work()
    } finally {
      attending.abort()
    }
  }

  /** Ends the connection once it has been silent while its process does nothing. */
  async #attend(client: PoolClient, pid: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const heard = bytesHeard(client)
      await sleep(SILENCE_MS, undefined, { signal }).catch(() => {})
      if (signal.aborted || bytesHeard(client) !== heard) continue
      if ((await this.#isAtWork(pid)) || signal.aborted) continue
      this.#lostMs = performance.now()
      return leave(client)
    }
  }

  /** Whether a process of the server works; where it can't say, it is believed to. */
  async #isAtWork(pid: number): Promise<boolean> {
    const client = createClient(this.#url)
    try {
      return await withinTime(client, ANSWER_MS, async () => {
        await client.connect()
        const { rows } = await client.query(
          "select from pg_stat_activity where pid = $1 and state = 'active'",
          [pid],
        )
        return rows.length > 0
      })
    } catch (error) {
      const code = sqlState(error)
      return code !== null && !isConnectionCode(code)
    } finally {
      leave(client)
    }
  }
}

function bytesHeard({ connection: { stream } }: PoolClient): number {
  return stream instanceof Socket ? stream.bytesRead : 0
}
