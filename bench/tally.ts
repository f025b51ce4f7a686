// Counts the answers of one measurement and keeps their latencies.
import { type Latency, latencyOf } from './statistics.ts'

/** What one measurement saw. */
export type LoadResult = {
  /** Answers with status 200. */
  readonly acknowledged: number
  /** Every other answer by its status; `0` is a connection that broke. Any makes it invalid. */
  readonly failures: Readonly<Record<string, number>>
  /** From the first request to the last answer. */
  readonly seconds: number
  /** Answers with status 200 per second. */
  readonly perSecond: number
  readonly latencyMs: Latency
}

const OK = 200

/** The count of a measurement that is under way. */
export class Tally {
  readonly #latencies: Float64Array
  readonly #failures: Record<string, number> = {}
  #answers = 0
  #timed = 0
  #acknowledged = 0

  /** `capacity` is the most answers there can be. */
  constructor(capacity: number) {
    this.#latencies = new Float64Array(capacity)
  }

  get answers(): number {
    return this.#answers
  }

  /** A latency of null is left out of the percentiles. */
  add(status: number, latencyMs: number | null): void {
    this.#answers++
    if (latencyMs !== null) this.#latencies[this.#timed++] = latencyMs
    if (status === OK) this.#acknowledged++
    else this.#failures[status] = (this.#failures[status] ?? 0) + 1
  }

  result(seconds: number): LoadResult {
    return {
      acknowledged: this.#acknowledged,
      failures: this.#failures,
      seconds,
      perSecond: this.#acknowledged / seconds,
      latencyMs: latencyOf(this.#latencies.subarray(0, this.#timed)),
    }
  }
}
