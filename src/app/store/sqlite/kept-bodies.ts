// Which bodies are gone because they expired. No row says when, but bodies expire by when they came, from
// the lowest number on.
import type { DatabaseSync, StatementSync } from 'node:sqlite'

type Kept = { readonly id: number; readonly received_at: number }

/** The bodies of a file that are still there. */
export class KeptBodies {
  readonly #first: number | null
  readonly #all: StatementSync
  /** Those that came before all with lower numbers: one, as long as no clock was put back. */
  #earliest: readonly Kept[] | null = null

  constructor(database: DatabaseSync) {
    const { first } = database.prepare('select min(id) as first from intakes').get() as {
      first: number | null
    }
    this.#first = first
    this.#all = database.prepare('select id, received_at from intakes order by id')
  }

  /** Whether one that is missing may have expired: none with a lower number that came no later is kept. */
  mayLack(id: number, receivedAt: number): boolean {
    if (this.#first === null || id < this.#first) return true
    this.#earliest ??= this.#findEarliest()
    const before = this.#earliest.findLast((kept) => kept.id < id)
    return before === undefined || before.received_at > receivedAt
  }

  #findEarliest(): Kept[] {
    const earliest: Kept[] = []
    for (const kept of this.#all.iterate() as Iterable<Kept>) {
      const last = earliest.at(-1)
      if (last === undefined || kept.received_at < last.received_at) earliest.push(kept)
    }
    return earliest
  }
}
