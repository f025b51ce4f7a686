// Lets raw bodies expire, a part at a time, so that no acknowledgement waits for long.
import { HeldUp, type OnHeldUp, uptimeMs } from './held-up.ts'
import type { ExpiryStep } from './store.ts'

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
const CLOCK =
  'the clock of this machine was put forward by more than an hour since the start: set it right, or start the service anew if it is right now'

export type RetentionOptions = {
  /** 0: nothing expires. */
  readonly days: number
  /** Deletes some that arrived before this moment (ms since 1970). */
  readonly expire: (before: number) => Promise<ExpiryStep>
  readonly onError: (error: unknown) => void
  /** Told of what has kept bodies from expiring for a day. */
  readonly onHeldUp: OnHeldUp
}

/** The loop that lets bodies expire, from `start` to `stop`. */
export class Retention {
  readonly #options: RetentionOptions
  readonly #uptimeMs: () => number
  readonly #startedAt = Date.now()
  readonly #startUptimeMs: number
  readonly #heldUp: HeldUp
  #timer: NodeJS.Timeout | null = null
  #stopped = false

  /** `nowMs` is a clock in ms that nobody can set, and that goes on while the machine sleeps. */
  constructor(options: RetentionOptions, nowMs = uptimeMs) {
    this.#options = options
    this.#uptimeMs = nowMs
    this.#startUptimeMs = nowMs()
    this.#heldUp = new HeldUp(options.onHeldUp, nowMs)
  }

  /** Begins the loop, unless nothing expires. */
  start(): void {
    if (this.#options.days > 0) this.#schedule(PAUSE_MS)
  }

  /**
   * Begins nothing more. Whatever is under way ends with the store that is closed next, which waits
   * for it, though not for ever where its server does not answer. Idempotent.
   */
  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #schedule(ms: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.#expire(), ms)
  }

  async #expire(): Promise<void> {
    const { days, expire, onError } = this.#options
    let step: ExpiryStep = 'done'
    try {
      const msAhead = Math.max(0, Date.now() - this.#latestMs())
      step = await expire(Date.now() - msAhead - days * DAY_MS)
      const heldBy = msAhead > 0 ? CLOCK : null
      this.#heldUp.tried(typeof step === 'string' ? heldBy : step.heldBy)
    } catch (error) {
      // The store that is being closed may have given it up.
      if (!this.#stopped) onError(error)
    }
    this.#schedule(pauseAfter(step))
  }

  /** What is believed to be the time at the latest, in ms since 1970. */
  #latestMs(): number {
    return this.#startedAt + this.#uptimeMs() - this.#startUptimeMs + BELIEVED_STEP_MS
  }
}

function pauseAfter(step: ExpiryStep): number {
  if (typeof step !== 'string') return step.againMs
  return step === 'more' ? PAUSE_MS : INTERVAL_MS
}
