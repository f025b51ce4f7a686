// Which bodies are gone because they expired. No row says when, but each pass of the expiry begins at the
// lowest number there is: who lies there, and came no later, would have gone before.
import type { DatabaseSync } from 'node:sqlite'

type Kept = { readonly id: number; readonly received_at: number }

/** The bodies of a file that are still there. */
export class KeptBodies {
  readonly #first: Kept | undefined

  constructor(database: DatabaseSync) {
    const first = 'select id, received_at from intakes order by id limit 1'
    this.#first = database.prepare(first).get() as Kept | undefined
  }

  /**
   * Whether one that is missing may have expired. Of those behind the first alone, which a pass may miss
   * where a clock was wrong, none is taken for a sign that others have not.
   */
  mayLack(id: number, receivedAt: number): boolean {
    return this.#first === undefined || id < this.#first.id || receivedAt < this.#first.received_at
  }
}
