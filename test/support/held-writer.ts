// A writer that commits when a test says so, to be put behind a write queue.

/** A batch that was handed over and waits for its commit. */
export type HeldBatch<Item, Outcome> = {
  readonly items: readonly Item[]
  commit(outcomes: readonly Outcome[]): void
  fail(error: unknown): void
}

export class HeldWriter<Item, Outcome> {
  /** Batches that `next` has not given out yet. */
  readonly waiting: HeldBatch<Item, Outcome>[] = []
  /** Batches that are neither committed nor failed. */
  inFlight = 0
  #announce: () => void = () => {}

  readonly write = (items: readonly Item[]): Promise<readonly Outcome[]> => {
    this.inFlight++
    return new Promise((resolve, reject) => {
      this.waiting.push({
        items,
        commit: (outcomes) => {
          this.inFlight--
          resolve(outcomes)
        },
        fail: (error) => {
          this.inFlight--
          reject(error)
        },
      })
      this.#announce()
    })
  }

  /** Resolves with the next batch that is handed over. */
  async next(): Promise<HeldBatch<Item, Outcome>> {
    const batch = this.waiting.shift()
    if (batch !== undefined) return batch
    await new Promise<void>((resolve) => {
      this.#announce = resolve
    })
    return this.next()
  }
}
