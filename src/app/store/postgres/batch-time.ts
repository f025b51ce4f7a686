// How long a batch may take before its requests are asked to come again themselves.

/** How long it is sent again, beside the time that its own work takes. */
const PATIENCE_MS = 4000
/** A connection that says nothing for so long may have no other end any more: another one is tried. */
const TRY_MS = 2000
/** What the last try is given at least. */
const LAST_TRY_MS = 500
/**
 * Of `costOf`, what the server is trusted to do in a ms: one event, of which it stores about eight on
 * a slow machine. Without that, a body of thousands would be given up each time it comes.
 */
const COST_PER_MS = 4096
/** How many times longer it is given for events that are stored one by one. */
const ALONE_FACTOR = 4

/** The time of one batch, from now on. */
export class BatchTime {
  readonly #end = performance.now() + PATIENCE_MS
  #workMs: number

  /** `cost`: of all its intakes, in bytes. */
  constructor(cost: number) {
    this.#workMs = cost / COST_PER_MS
  }

  /** Its events are stored one by one from now on. */
  takesEachAlone(): void {
    this.#workMs *= ALONE_FACTOR
  }

  /** What a try may take that begins now, in ms. */
  get msOfTry(): number {
    return this.msOfLook + this.#workMs
  }

  /** What it may take to find out why it was not stored, in ms. */
  get msOfLook(): number {
    return Math.min(Math.max(this.#end - performance.now(), LAST_TRY_MS), TRY_MS)
  }

  /** Whether there is time for another try after a pause of so many ms. */
  hasTimeAfter(pauseMs: number): boolean {
    return performance.now() + pauseMs <= this.#end + this.#workMs
  }
}
