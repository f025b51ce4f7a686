// What the log says of work that fails and is tried again about once a second.
import type { Log } from './log.ts'

/** An outage that goes on is logged again after so long, in ms. */
const REMINDER_MS = 60_000

/** What is said of an outage, and at its end. */
export type OutageWords = { readonly failed: string; readonly ended: string }

/** Logs each reason at once, and the same one again once a minute; and once that it is over. */
export class OutageLog {
  readonly #log: Log
  readonly #words: OutageWords
  readonly #nowMs: () => number
  readonly #loggedAt = new Map<string, number>()

  /** `nowMs` is a monotonic clock in ms. */
  constructor(log: Log, words: OutageWords, nowMs: () => number = () => performance.now()) {
    this.#log = log
    this.#words = words
    this.#nowMs = nowMs
  }

  failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : ''
    const nowMs = this.#nowMs()
    if (nowMs - (this.#loggedAt.get(reason) ?? -REMINDER_MS) < REMINDER_MS) return
    this.#loggedAt.set(reason, nowMs)
    this.#log.warn({ err: error }, this.#words.failed)
  }

  /** It works: said only where it did not. */
  ended(): void {
    if (this.#loggedAt.size === 0) return
    this.#loggedAt.clear()
    this.#log.info(this.#words.ended)
  }
}
