// Keeps a flood of equal events from becoming a flood of log lines.

/** At most `perSecond` events a second pass; the next that does says how many did not. */
export class Sampler {
  readonly #perSecond: number
  readonly #nowMs: () => number
  #second = -1
  #passed = 0
  #suppressed = 0

  /** `nowMs` is a monotonic clock in ms. */
  constructor(perSecond: number, nowMs: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#nowMs = nowMs
  }

  /** The number of events left out since the last that passed; null when this one is left out. */
  pass(): number | null {
    const second = Math.floor(this.#nowMs() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#passed = 0
    }
    if (this.#passed >= this.#perSecond) {
      this.#suppressed++
      return null
    }
    this.#passed++
    const suppressed = this.#suppressed
    this.#suppressed = 0
    return suppressed
  }
}
