// When what is derived from commits is brought up to date: at once while the service is idle, with
// pauses while messages arrive, so that it takes at most a tenth of a core from them.

/** While messages arrive: pause this many times as long as the last part took. */
const PAUSE_FACTOR = 9
/** With more than this left there are no pauses: readers, who look at what is left, would pay more. */
const MAX_LAG = 100_000
const RETRY_MS = 1000
/** However long a part took: one that waited for a database may have taken minutes. */
const MAX_PAUSE_MS = 1000

export type CatchUpOptions = {
  /** Does a part of the work; resolves with how much is left. */
  readonly step: () => Promise<number>
  /** Told of an error; the next try is a second later. */
  readonly onError: (error: unknown) => void
  /** Told of each part that was done. */
  readonly onDone?: (() => void) | undefined
}

/** The loop that catches up with what was committed, woken by each commit. */
export class CatchUp {
  readonly #options: CatchUpOptions
  #running: Promise<void> | null = null
  #arrivals = 0
  #closed = false
  #interrupt: () => void = () => {}

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  /** There may be something to do. */
  wake(): void {
    this.#arrivals++
    if (this.#running !== null || this.#closed) return
    this.#running = this.#run()
  }

  /** Stops after the part that is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    this.#interrupt()
    await this.#running
  }

  async #run(): Promise<void> {
    let seen = -1
    while (!this.#closed && seen !== this.#arrivals) {
      seen = this.#arrivals
      let left = 1
      while (left > 0 && !this.#closed) left = await this.#step()
    }
    // Here, where nobody can wake it between the last look and this.
    this.#running = null
  }

  async #step(): Promise<number> {
    const arrivals = this.#arrivals
    const start = performance.now()
    try {
      const left = await this.#options.step()
      this.#options.onDone?.()
      const busy = this.#arrivals !== arrivals
      if (busy && left < MAX_LAG) await this.#pause(pauseAfter(performance.now() - start))
      return left
    } catch (error) {
      this.#options.onError(error)
      await this.#pause(RETRY_MS)
      return 1
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#interrupt = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function pauseAfter(tookMs: number): number {
  return Math.min(tookMs * PAUSE_FACTOR, MAX_PAUSE_MS)
}
