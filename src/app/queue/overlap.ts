// When a batch is begun although more of it is just being read. Senders who wait for one commit are
// answered together after it, and come back together: the writer waits while they are read, then
// they wait for the writer, in turns. Begun with the first half of them, both work at a time.

/** Fewer than this are read sooner than a batch of their own would be committed. */
const MIN_ITEMS = 8

/** Follows the batches of one writer. Times are in ms, of one clock that never goes back. */
export class Overlap {
  #items = 0
  #itemsBefore = 0
  #beganAt = 0
  #endedAt = 0

  began(items: number, now: number): void {
    this.#itemsBefore = this.#items
    this.#items = items
    this.#beganAt = now
  }

  ended(now: number): void {
    this.#endedAt = now
  }

  /**
   * Whether `waiting` items are half of those that take part, and the writer has waited for half as
   * long as its last commit took: where a flush takes longer than reading, company is worth more.
   */
  isDue(waiting: number, now: number): boolean {
    const half = (this.#items + this.#itemsBefore) / 2
    const waited = now - this.#endedAt
    return waiting >= Math.max(MIN_ITEMS, half) && waited >= (this.#endedAt - this.#beganAt) / 2
  }
}
