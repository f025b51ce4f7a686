// Which raw bodies have expired, found without an index that every request would pay for. Numbers rise
// with time but for where the clock was wrong, so a look at one body in so many tells of those around.
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** From one place that is looked at to the next, in numbers. */
const STRIDE = 500
/** Bodies that one step looks at, unless it finds one that has expired. */
const LOOKS = 20
/** How far the places of a pass are from those of the last one: after 500 passes each was one. */
const SHIFT = 309

type Arrival = { id: number; received_at: number }

/**
 * Deletes bodies that have expired, in steps of a pass over all numbers. What a pass may miss is of a
 * time when the clock was wrong: fewer than 500 in a row between others that are kept. The passes
 * after it look at other places.
 */
export class Expiry {
  readonly #look: StatementSync
  readonly #delete: StatementSync
  /** Where the pass goes on; its first look is at the lowest number there is. */
  #next = 0
  #shift = 0

  constructor(database: DatabaseSync) {
    this.#look = database.prepare(
      'select id, received_at from intakes where id >= ? order by id limit 1',
    )
    this.#delete = database.prepare(
      'delete from intakes where id > ? and id < ? and received_at < ?',
    )
  }

  /**
   * A step: deletes fewer than 1000 that arrived before this moment (ms since 1970). False at the end
   * of a pass; the next step begins another one.
   */
  step(before: number): boolean {
    for (let looks = 0; looks < LOOKS; looks++) {
      const found = this.#look.get(this.#next) as Arrival | undefined
      if (found === undefined) {
        this.#next = 0
        this.#shift = (this.#shift + SHIFT) % STRIDE
        return false
      }
      const last = this.#next - STRIDE
      this.#next = found.id + STRIDE - ((found.id + this.#shift) % STRIDE)
      if (found.received_at >= before) continue
      this.#delete.run(last, this.#next, before)
      return true
    }
    return true
  }
}
