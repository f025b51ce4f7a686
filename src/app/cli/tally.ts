// What became of many messages: answers by code, latencies, the rate.
import { grouped, quoted } from './command.ts'
import type { Answer } from './post.ts'

const SHOWN_BODY = 200

/** Counts answers. */
export class Tally {
  readonly #unit: string
  readonly #start = performance.now()
  readonly #byCode = new Map<number | string, { count: number; body: string }>()
  readonly #latenciesMs: number[] = []
  #retries = 0
  #unsent = 0

  /** `unit` is what is sent, in the plural. */
  constructor(unit = 'messages') {
    this.#unit = unit
  }

  /** Answers so far. */
  get answers(): number {
    return this.#latenciesMs.length
  }

  /** Whether nobody stopped the run before everything was sent. */
  get allSent(): boolean {
    return this.#unsent === 0
  }

  /** Whether everything that was sent was answered 200. */
  get allAccepted(): boolean {
    return [...this.#byCode.keys()].every((code) => code === 200)
  }

  /** Whether everything was sent, and answered 200. */
  get isComplete(): boolean {
    return this.allSent && this.allAccepted
  }

  add({ code, body, ms }: Answer): void {
    const seen = this.#byCode.get(code)
    if (seen === undefined) this.#byCode.set(code, { count: 1, body })
    else seen.count++
    this.#latenciesMs.push(ms)
  }

  addRetry(): void {
    this.#retries++
  }

  /** Messages that were not sent because somebody stopped the run. */
  addUnsent(count: number): void {
    this.#unsent += count
  }

  /** The closing summary, in lines. */
  summary(): readonly string[] {
    const seconds = (performance.now() - this.#start) / 1000
    const sorted = Float64Array.from(this.#latenciesMs).sort()
    const rate = this.answers / seconds
    return [
      ...this.#codeLines(),
      ...(this.#retries > 0 ? [`retries  ${grouped(this.#retries)}`] : []),
      ...(this.#unsent > 0 ? [`not sent ${grouped(this.#unsent)}`] : []),
      `latency  ${percentiles(sorted)}`,
      `rate     ${grouped(Math.round(rate * 10) / 10)} ${this.#unit}/s over ${seconds.toFixed(1)} s`,
    ]
  }

  #codeLines(): string[] {
    const codes = [...this.#byCode].sort((a, b) => b[1].count - a[1].count)
    return codes.map(([code, { count, body }]) => {
      const first = code === 200 || body === '' ? '' : `  first: ${quoted(shortened(body))}`
      return `answers  ${code} × ${grouped(count)}${first}`
    })
  }
}

function shortened(text: string): string {
  return text.length > SHOWN_BODY ? `${text.slice(0, SHOWN_BODY)}…` : text
}

function percentiles(sorted: Float64Array): string {
  const at = (share: number) => {
    const ms = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
    return ms === undefined ? '–' : `${ms.toFixed(1)} ms`
  }
  return `p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)}`
}
