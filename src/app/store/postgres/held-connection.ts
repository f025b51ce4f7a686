// One connection that is kept: made when it is needed, lent to one user at a time, in the order in
// which they came, and made anew after an error.
import type { Client } from 'pg'
import { StoreUnavailableError } from '../../errors.ts'
import { wasRolledBack } from './faults.ts'

/** What is left of a turn, in ms; never less than 1. */
export type MsLeft = () => number

/** Makes a connection in the time that is left, or rejects. */
export type Connect = (msLeft: MsLeft) => Promise<Client>

/** Lends one connection, which it makes and replaces, to one user at a time. */
export class HeldConnection {
  readonly #connect: Connect
  readonly #waiting: (() => void)[] = []
  #client: Client | null = null
  #isLent = false
  #isClosed = false

  constructor(connect: Connect) {
    this.#connect = connect
  }

  /**
   * Runs `work` when its turn comes: right now, before anything else happens on this thread, where
   * nobody uses the connection. `msAllowed` tells then how long the turn may take, with connecting.
   * Rejects as `work` does, or with why there is no connection; with StoreUnavailableError after
   * `close`.
   */
  async use<Result>(
    msAllowed: () => number,
    work: (client: Client, msLeft: MsLeft) => Promise<Result>,
  ): Promise<Result> {
    if (this.#isLent) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#isLent = true
    try {
      const end = performance.now() + msAllowed()
      const msLeft = () => Math.max(end - performance.now(), 1)
      const client = this.#client ?? (await this.#open(msLeft))
      return await work(client, msLeft)
    } catch (error) {
      // After anything else nobody knows what state the connection is in.
      if (!wasRolledBack(error)) void this.#end()
      throw error
    } finally {
      const next = this.#waiting.shift()
      // It stays lent: whoever comes before the next one runs has to wait behind it.
      if (next === undefined) this.#isLent = false
      else next()
    }
  }

  /** Ends the connection, and whatever is under way on it. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#end()
  }

  async #open(msLeft: MsLeft): Promise<Client> {
    this.#requireOpen()
    const client = await this.#connect(msLeft)
    // One that ends while nobody uses it is no fault yet.
    client.once('end', () => {
      if (this.#client === client) this.#client = null
    })
    this.#client = client
    this.#requireOpen()
    return client
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new StoreUnavailableError('The store is closed.')
  }

  async #end(): Promise<void> {
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => {})
  }
}
