// Why requests can't be served: said once for as long as it lasts, since whoever may ask may ask often.
import type { AppError } from '../errors.ts'
import type { Log } from '../log.ts'

/** A cause that goes on is logged again after so long, in ms. */
const REMINDER_MS = 60_000
/** Causes are few; were there ever more, all of them are new again. */
const MAX_CAUSES = 100

/** When a cause was logged last, and how many requests have failed of it since. */
type Said = { readonly atMs: number; suppressed: number }

/** Logs each cause at once, and the same one again once a minute, with how often it was left out. */
export class CauseLog {
  readonly #log: Log
  readonly #nowMs: () => number
  readonly #said = new Map<string, Said>()

  /** `nowMs` is a monotonic clock in ms. */
  constructor(log: Log, nowMs: () => number = () => performance.now()) {
    this.#log = log
    this.#nowMs = nowMs
  }

  /** A request was answered with this error; nothing is said of one without a cause. */
  failed({ code, cause }: AppError, requestId: string): void {
    if (cause === undefined) return
    const key = `${code} ${String(cause)}`
    const said = this.#said.get(key)
    const nowMs = this.#nowMs()
    if (said !== undefined && nowMs - said.atMs < REMINDER_MS) {
      said.suppressed++
      return
    }
    if (this.#said.size >= MAX_CAUSES) this.#said.clear()
    this.#said.set(key, { atMs: nowMs, suppressed: 0 })
    const suppressed = said === undefined || said.suppressed === 0 ? undefined : said.suppressed
    this.#log.warn({ request_id: requestId, err: cause, suppressed }, code)
  }
}
