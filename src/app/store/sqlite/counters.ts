// The counters that statistics are answered from, added up over a batch and written once, in the
// transaction that stores what they count.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { BusiestSenders, type SenderCount } from './busiest-senders.ts'

export type CounterName = 'type' | 'day' | 'status' | 'kind'

/** Sums that wait for the end of the batch. */
export class Counters {
  readonly #addCount: StatementSync
  readonly #dropEmpty: StatementSync
  readonly #countSender: StatementSync
  readonly #busiest: BusiestSenders
  readonly #sums = new Map<CounterName, Map<string, number>>()
  readonly #senders = new Map<string, number>()

  constructor(database: DatabaseSync) {
    this.#addCount = database.prepare(`
      insert into counts (counter, key, count) values (?, ?, ?)
      on conflict (counter, key) do update set count = count + excluded.count
      returning count`)
    this.#dropEmpty = database.prepare('delete from counts where counter = ? and key = ?')
    this.#countSender = database.prepare(`
      insert into senders (sender, messages) values (?, ?)
      on conflict (sender) do update set messages = messages + excluded.messages
      returning messages`)
    this.#busiest = new BusiestSenders(database)
  }

  add(counter: CounterName, key: string, by = 1): void {
    const sums = this.#sums.get(counter) ?? new Map<string, number>()
    sums.set(key, (sums.get(key) ?? 0) + by)
    this.#sums.set(counter, sums)
  }

  addSender(sender: string): void {
    this.#senders.set(sender, (this.#senders.get(sender) ?? 0) + 1)
  }

  /** Writes the sums; returns how many senders were not there before. */
  flush(): number {
    for (const [counter, sums] of this.#sums) {
      for (const [key, sum] of sums) this.#write(counter, key, sum)
    }
    const newSenders = this.#writeSenders()
    this.reset()
    return newSenders
  }

  /** Forgets what was added in a transaction that was rolled back. */
  reset(): void {
    this.#sums.clear()
    this.#senders.clear()
  }

  #writeSenders(): number {
    if (this.#senders.size === 0) return 0
    let newSenders = 0
    const changed: SenderCount[] = []
    for (const [sender, sum] of this.#senders) {
      const { messages } = this.#countSender.get(sender, sum) as SenderCount
      if (messages === sum) newSenders++
      changed.push({ sender, messages })
    }
    this.#busiest.grown(changed)
    return newSenders
  }

  #write(counter: CounterName, key: string, sum: number): void {
    if (sum === 0) return
    const { count } = this.#addCount.get(counter, key, sum) as { count: number }
    if (count === 0) this.#dropEmpty.run(counter, key)
  }
}
