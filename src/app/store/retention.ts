// Lets raw bodies expire, a part at a time, so that no acknowledgement waits for long.

const DAY_MS = 24 * 60 * 60 * 1000
/** Between two looks at what has expired. */
const INTERVAL_MS = 10 * 60 * 1000
/** Between two deletions while there is more. */
const PAUSE_MS = 50
/**
 * How far the clock may get ahead of the time since the start. What it jumps beyond that is ignored
 * until the next start, so that a wrong clock deletes nothing.
 */
const BELIEVED_STEP_MS = 60 * 60 * 1000

export type RetentionOptions = {
  /** 0: nothing expires. */
  readonly days: number
  /** Deletes some that arrived before this moment (ms since 1970); true: there may be more. */
  readonly expire: (before: number) => Promise<boolean>
  readonly onError: (error: unknown) => void
}

/** The loop that lets bodies expire, from `start` to `close`. */
export class Retention {
  readonly #options: RetentionOptions
  readonly #startedAt = Date.now()
  readonly #start = performance.now()
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  /** Begins the loop, unless nothing expires. */
  start(): void {
    if (this.#options.days > 0) this.#schedule(PAUSE_MS)
  }

  /** Resolves when nothing is being deleted any more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#running
  }

  #schedule(ms: number): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#running = this.#expire()
    }, ms)
  }

  async #expire(): Promise<void> {
    const { days, expire, onError } = this.#options
    let more = false
    try {
      more = await expire(this.#now() - days * DAY_MS)
    } catch (error) {
      onError(error)
    }
    this.#schedule(more ? PAUSE_MS : INTERVAL_MS)
  }

  #now(): number {
    const latest = this.#startedAt + performance.now() - this.#start + BELIEVED_STEP_MS
    return Math.min(Date.now(), latest)
  }
}
