// Which raw bodies have expired, found without an index that every request would pay for. Numbers rise
// with time but for where the clock was wrong, so a look at one body in so many tells of those around.
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** From one place that is looked at to the next, in numbers. */
const STRIDE = 500
/** Bodies that one step looks at, unless it finds one that has expired. */
const LOOKS = 20
/** How far the places of a pass are from those of the last one: after 500 passes each was one. */
const SHIFT = 309
/** What is freed at once, in bytes as they are stored: each page of it is written to the log. */
const MAX_BYTES = 4 * 1024 * 1024
/** What a body takes beside its own bytes, at most: the page that its row lies in. */
const ROW_BYTES = 4096

type ReceivedIntake = { id: number; received_at: number }
type Stored = { id: number; bytes: number }
/** Numbers between these two. */
type Range = { readonly after: number; readonly until: number }

/** `found`: some have expired and wait to be deleted. `end`: of the pass; the next look begins another one. */
export type Look = 'found' | 'none' | 'end'

/**
 * Finds and deletes bodies that have expired, in steps of a pass over all numbers. What a pass may miss
 * is of a time when the clock was wrong: fewer than 500 in a row between others that are kept. The passes
 * after it look at other places.
 */
export class Expiry {
  readonly #look: StatementSync
  readonly #due: StatementSync
  readonly #delete: StatementSync
  /** Where the pass goes on; its first look is at the lowest number there is. */
  #next = 0
  #shift = 0
  /** Where the last look found some: fewer than 1000. */
  #found: Range | null = null

  constructor(database: DatabaseSync) {
    this.#look = database.prepare(
      'select id, received_at from intakes where id >= ? order by id limit 1',
    )
    this.#due = database.prepare(`
      select id, length(body) as bytes from intakes
      where id > ? and id < ? and received_at < ? order by id`)
    this.#delete = database.prepare(
      'delete from intakes where id > ? and id < ? and received_at < ?',
    )
  }

  /** Looks for what arrived before this moment (ms since 1970), where it left off. */
  look(before: number): Look {
    if (this.#isLeft(before)) return 'found'
    this.#found = null
    for (let looks = 0; looks < LOOKS; looks++) {
      const seen = this.#look.get(this.#next) as ReceivedIntake | undefined
      if (seen === undefined) {
        this.#next = 0
        this.#shift = (this.#shift + SHIFT) % STRIDE
        return 'end'
      }
      const after = this.#next - STRIDE
      this.#next = seen.id + STRIDE - ((seen.id + this.#shift) % STRIDE)
      if (seen.received_at >= before) continue
      this.#found = { after, until: this.#next }
      return 'found'
    }
    return 'none'
  }

  /**
   * What to delete next of what was found: as much as 4 MiB, or one body that is larger, and not more than
   * there is room for, in bytes. Null where nothing is left.
   */
  next(before: number, room: number): Range | 'no room' | null {
    if (this.#found === null) return null
    const { after, until } = this.#found
    const most = Math.min(MAX_BYTES, room)
    let last: number | null = null
    let sum = 0
    for (const { id, bytes } of this.#due.iterate(after, until, before) as Iterable<Stored>) {
      sum += bytes + ROW_BYTES
      if (sum > (last === null ? room : most)) break
      last = id
    }
    if (last !== null) return { after, until: last + 1 }
    return sum === 0 ? null : 'no room'
  }

  /** Deletes of these what arrived before this moment. */
  delete({ after, until }: Range, before: number): void {
    this.#delete.run(after, until, before)
  }

  /** Not known from the deletion: that may have been undone. */
  #isLeft(before: number): boolean {
    if (this.#found === null) return false
    return this.#due.get(this.#found.after, this.#found.until, before) !== undefined
  }
}
