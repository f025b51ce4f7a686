// What readers were answered and have not taken yet: it waits in the memory of this process.
import { ByteBudget } from './byte-budget.ts'

/** What every answer may hold without asking: more than most pages have. Bytes. */
export const FREE_BYTES = 256 * 1024
/** What those that are larger may hold together; of the largest pages, more than ten. Bytes. */
const MAX_BYTES = 128 * 1024 * 1024

/** The large answers under way. */
export class Unsent {
  readonly #budget = new ByteBudget(MAX_BYTES)

  /**
   * Room for an answer of so many bytes, or for a part of one: what gives it back, which may be
   * called again; null where there is none.
   */
  hold(bytes: number): (() => void) | null {
    if (bytes <= FREE_BYTES) return () => {}
    if (!this.#budget.take(bytes)) return null
    let held = bytes
    return () => {
      this.#budget.giveBack(held)
      held = 0
    }
  }
}
