// What the log says of a database that does not answer: it is tried about once a second.
import type { Log } from './log.ts'

/** An outage that goes on is logged again after so long, in ms. */
const REMINDER_MS = 60_000

/** Logs each reason at once, and the same one again once a minute. */
export class OutageLog {
  readonly #log: Log
  readonly #nowMs: () => number
  readonly #loggedAt = new Map<string, number>()

  /** `nowMs` is a monotonic clock in ms. */
  constructor(log: Log, nowMs: () => number = () => performance.now()) {
    this.#log = log
    this.#nowMs = nowMs
  }

  failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : ''
    const nowMs = this.#nowMs()
    if (nowMs - (this.#loggedAt.get(reason) ?? -REMINDER_MS) < REMINDER_MS) return
    this.#loggedAt.set(reason, nowMs)
    this.#log.warn({ err: error }, 'the database did not answer; it is tried again')
  }

  ended(): void {
    this.#loggedAt.clear()
    this.#log.info('the database answers')
  }
}
