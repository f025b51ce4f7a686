// Group commit: whatever waits while one transaction commits goes into the next one together, as far
// as that stays bounded.
// `add` resolves when the item's own transaction is committed, and never before.
import { AppError, isOfTheStore, StoreUnavailableError } from '../errors.ts'
import { afterArrived } from './after-arrived.ts'
import { Overlap } from './overlap.ts'

export type WriteQueueOptions<Item, Outcome> = {
  /** Commits all items in one transaction; the outcomes come in the order of the items. */
  readonly write: (items: readonly Item[]) => Promise<readonly Outcome[]>
  /** The bytes an item occupies while it waits. */
  readonly bytesOf: (item: Item) => number
  readonly maxItems: number
  readonly maxBytes: number
  /** What writing an item takes, in the unit of `maxBatchCost`. */
  readonly costOf: (item: Item) => number
  /**
   * What writing a batch may take, unless its only item takes more: whoever waits for the first
   * does not wait for all of a backlog, which may be more than the writer can do in time.
   */
  readonly maxBatchCost: number
}

type Waiting<Item, Outcome> = {
  readonly item: Item
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

type Commit<Item, Outcome> = {
  readonly batch: readonly Waiting<Item, Outcome>[]
  readonly written: Promise<readonly Outcome[]>
}

/** A queue bounded by count and by bytes, in front of one writer that takes batches. */
export class WriteQueue<Item, Outcome> {
  readonly #options: WriteQueueOptions<Item, Outcome>
  readonly #overlap = new Overlap()
  #waiting: Waiting<Item, Outcome>[] = []
  #items = 0
  #bytes = 0
  #scheduled = false
  #committing = false
  #idle: (() => void)[] = []

  constructor(options: WriteQueueOptions<Item, Outcome>) {
    this.#options = options
  }

  /** Items that wait or are being committed. */
  get items(): number {
    return this.#items
  }

  /** Bytes of the items that wait or are being committed. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether one more item of this many bytes would exceed a bound. */
  isFullFor(bytes: number): boolean {
    const { maxItems, maxBytes } = this.#options
    return this.#items >= maxItems || this.#bytes + bytes > maxBytes
  }

  /**
   * Resolves with the item's outcome once it is committed. Rejects with AppError `overloaded`
   * at once when the queue is full, and with the store's error when the commit failed.
   */
  add(item: Item): Promise<Outcome> {
    const bytes = this.#options.bytesOf(item)
    if (this.isFullFor(bytes)) return Promise.reject(new AppError('overloaded'))
    this.#items++
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#schedule()
    })
  }

  /** Resolves when nothing waits and nothing is being committed. */
  drain(): Promise<void> {
    if (this.#items === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  // A batch begins once everything that has arrived on sockets is read, so that it commits together;
  // at once if the queue is full, since no more can join it, or if half of the senders wait (Overlap).
  #schedule(): void {
    if (this.#committing) return
    const isDue = this.#overlap.isDue(this.#waiting.length, performance.now())
    if (isDue || this.isFullFor(0)) void this.#commitAll()
    else if (!this.#scheduled) this.#commitAfterArrived()
  }

  #commitAfterArrived(): void {
    this.#scheduled = true
    afterArrived(() => {
      this.#scheduled = false
      if (!this.#committing) void this.#commitAll()
    })
  }

  // The next batch is on its way to the writer before the last one's requests are answered:
  // otherwise the writer would wait while the answers are written.
  async #commitAll(): Promise<void> {
    this.#committing = true
    let next = this.#begin()
    while (next !== null) {
      const { batch, written } = next
      try {
        const outcomes = await written
        this.#overlap.ended(performance.now())
        this.#release(batch)
        next = this.#begin()
        resolveAll(batch, outcomes)
      } catch (error) {
        await this.#giveUp(batch, error)
        next = this.#begin()
      }
    }
    this.#committing = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Answers the items of a batch that could not be stored, of which others may be stored alone. */
  async #giveUp(batch: readonly Waiting<Item, Outcome>[], error: unknown): Promise<void> {
    // Where the store is to blame, no item would have fared better alone.
    if (isOfTheStore(error)) this.#rejectAll(batch, error)
    else if (batch.length === 1) this.#reject(batch, error)
    else await this.#writeEach(batch)
  }

  /** One item can't be stored, nobody knows which: by itself it takes no other with it. */
  async #writeEach(batch: readonly Waiting<Item, Outcome>[]): Promise<void> {
    for (const [i, waiting] of batch.entries()) {
      try {
        const outcomes = await this.#options.write([waiting.item])
        this.#release([waiting])
        resolveAll([waiting], outcomes)
      } catch (error) {
        if (isOfTheStore(error)) return this.#rejectAll(batch.slice(i), error)
        this.#reject([waiting], error)
      }
    }
  }

  /** Whoever came while the writer was failing would only wait for the same answer. */
  #rejectAll(batch: readonly Waiting<Item, Outcome>[], error: unknown): void {
    this.#reject([...batch, ...this.#waiting.splice(0)], error)
  }

  #reject(batch: readonly Waiting<Item, Outcome>[], error: unknown): void {
    this.#release(batch)
    for (const { reject } of batch) reject(error)
  }

  /** Hands to the writer what waits, as much as a batch may take; null when nothing does. */
  #begin(): Commit<Item, Outcome> | null {
    if (this.#waiting.length === 0) return null
    const batch = this.#waiting.splice(0, this.#fitting())
    this.#overlap.began(batch.length, performance.now())
    return { batch, written: this.#options.write(batch.map(({ item }) => item)) }
  }

  /** How many of those that wait are the next batch: at least one. */
  #fitting(): number {
    const { costOf, maxBatchCost } = this.#options
    let cost = 0
    const end = this.#waiting.findIndex(({ item }, i) => {
      cost += costOf(item)
      return cost > maxBatchCost && i > 0
    })
    return end === -1 ? this.#waiting.length : end
  }

  #release(batch: readonly Waiting<Item, Outcome>[]): void {
    this.#items -= batch.length
    for (const { item } of batch) this.#bytes -= this.#options.bytesOf(item)
  }
}

function resolveAll<Item, Outcome>(
  batch: readonly Waiting<Item, Outcome>[],
  outcomes: readonly Outcome[],
): void {
  batch.forEach(({ resolve, reject }, i) => {
    const outcome = outcomes[i]
    if (outcome === undefined) reject(new StoreUnavailableError('The writer gave no outcome.'))
    else resolve(outcome)
  })
}
