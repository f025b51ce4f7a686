// When to begin a batch although more requests are still being read. Senders that waited for the same
// commit are answered together and come back together. If the batch waited for all of them, the writer
// would be idle while they are read, and then they for the writer. Begun with half, both work at once.

/** Fewer than this are read sooner than a batch of their own would be committed. */
const MIN_ITEMS = 8

/** Follows the batches of one writer. Times are in ms, of one clock that never goes back. */
export class Overlap {
  #items = 0
  #itemsBefore = 0
  #beganAt = 0
  #endedAt = 0

  /** A batch of so many items was handed to the writer. */
  began(items: number, now: number): void {
    this.#itemsBefore = this.#items
    this.#items = items
    this.#beganAt = now
  }

  /** That batch is committed. */
  ended(now: number): void {
    this.#endedAt = now
  }

  /**
   * Whether to begin now: half of the senders wait (the last two batches together are all of them),
   * and the writer has been idle for half the time of its last commit. The slower the disk, the
   * longer a batch waits for company: each flush it saves is worth more.
   */
  isDue(waiting: number, now: number): boolean {
    const half = (this.#items + this.#itemsBefore) / 2
    const waited = now - this.#endedAt
    return waiting >= Math.max(MIN_ITEMS, half) && waited >= (this.#endedAt - this.#beganAt) / 2
  }
}
