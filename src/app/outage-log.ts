// What the log says of something that fails again and again while its cause lasts.
import type { Log } from './log.ts'

/** A failure that goes on is logged again after so long, in ms. */
const REMINDER_MS = 60_000
/** Reasons are few; were there ever more, all of them are new again. */
const MAX_REASONS = 100

/** When a reason was logged last, and how often it was left out since. */
type Said = { readonly atMs: number; suppressed: number }

/** Logs each reason at once, and the same one again once a minute; and once that it is over. */
export class OutageLog {
  readonly #log: Log
  readonly #nowMs: () => number
  readonly #said = new Map<string, Said>()

  /** `nowMs` is a monotonic clock in ms. */
  constructor(log: Log, nowMs: () => number = () => performance.now()) {
    this.#log = log
    this.#nowMs = nowMs
  }

  /** `what` failed of `error`; `fields` say more of this one time. */
  failed(what: string, error: unknown, fields: Readonly<Record<string, string>> = {}): void {
    const reason = `${what} ${error instanceof Error ? error.message : ''}`
    const said = this.#said.get(reason)
    const nowMs = this.#nowMs()
    if (said !== undefined && nowMs - said.atMs < REMINDER_MS) {
      said.suppressed++
      return
    }
    if (this.#said.size >= MAX_REASONS) this.#said.clear()
    this.#said.set(reason, { atMs: nowMs, suppressed: 0 })
    const suppressed = said?.suppressed || undefined
    this.#log.warn({ ...fields, err: error, suppressed }, what)
  }

  /** It works: `what` is said only where something had failed. */
  ended(what: string): void {
    if (this.#said.size === 0) return
    this.#said.clear()
    this.#log.info(what)
  }
}
