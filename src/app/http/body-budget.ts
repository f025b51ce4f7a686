// The memory that bodies may hold while they arrive and wait, all of them together.
import { ByteBudget } from './byte-budget.ts'

/** What every body may take without asking: far more than a message needs. Bytes. */
const FREE_BODY_BYTES = 16 * 1024

/** A body that arrives may be given up for others after so long, in ms: Meta's take milliseconds. */
const PATIENCE_MS = 2000

type Arriving = { readonly sinceMs: number; readonly giveUp: () => void }

/**
 * The memory that bodies may hold together, beyond 16 KiB each. Where it is all taken, those that
 * have been arriving for longer than two seconds make room, the longest first: a few senders who hold
 * back the ends of their bodies keep nobody else from being heard.
 */
export class BodyBudget {
  readonly #budget: ByteBudget
  /** In the order in which they began. */
  readonly #arriving = new Set<Arriving>()

  constructor(bytes: number) {
    this.#budget = new ByteBudget(bytes)
  }

  /** A body begins to hold memory; `giveUp` is called where others need it. */
  begins(giveUp: () => void): Arriving {
    const body = { sinceMs: performance.now(), giveUp }
    this.#arriving.add(body)
    return body
  }

  /** A body has arrived, or arrives no more. */
  ends(body: Arriving): void {
    this.#arriving.delete(body)
  }

  /** Takes bytes for a body, or says that they are not to be had. */
  take(bytes: number, body: Arriving): boolean {
    while (!this.#budget.take(bytes)) {
      const [oldest = body] = this.#arriving
      if (oldest === body || performance.now() < oldest.sinceMs + PATIENCE_MS) return false
      this.#arriving.delete(oldest)
      oldest.giveUp()
    }
    return true
  }

  /** Returns bytes that were taken. */
  giveBack(bytes: number): void {
    this.#budget.giveBack(bytes)
  }
}

/** What one body holds of that memory. */
export class BodyShare {
  readonly #budget: BodyBudget
  readonly #giveUp: () => void
  #taken = 0
  /** Null while it holds nothing, so that it has nothing to make room with. */
  #arriving: Arriving | null = null

  /** `giveUp` is called where others need what a body holds that arrives too slowly. */
  constructor(budget: BodyBudget, giveUp: () => void) {
    this.#budget = budget
    this.#giveUp = giveUp
  }

  /** The body has so many bytes now; false where they are not to be had. */
  growTo(bytes: number): boolean {
    const wanted = bytes - FREE_BODY_BYTES - this.#taken
    if (wanted <= 0) return true
    this.#arriving ??= this.#budget.begins(this.#giveUp)
    if (!this.#budget.take(wanted, this.#arriving)) return false
    this.#taken += wanted
    return true
  }

  /** The body is whole: it goes on to hold what it has, and makes no room any more. */
  hasArrived(): void {
    if (this.#arriving !== null) this.#budget.ends(this.#arriving)
  }

  /** Gives everything back. Idempotent. */
  release(): void {
    this.hasArrived()
    this.#budget.giveBack(this.#taken)
    this.#taken = 0
  }
}
