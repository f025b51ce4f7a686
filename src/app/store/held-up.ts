// What holds up a part of the upkeep, for so long that somebody should see to it.
import { uptime } from 'node:os'

/** Backups and reports take hours; what takes longer does not end by itself. */
const TOLD_AFTER_MS = 24 * 60 * 60 * 1000

/** A clock in ms that nobody can set, and that goes on while the machine sleeps. */
export const uptimeMs = (): number => uptime() * 1000

/** Told by what, in words that go on after "because", and since when. */
export type OnHeldUp = (heldBy: string, since: Date) => void

/** Tells once of what has held something up for a day, and again only after it had passed. */
export class HeldUp {
  readonly #onHeldUp: OnHeldUp
  readonly #nowMs: () => number
  #sinceMs: number | null = null
  #isTold = false

  constructor(onHeldUp: OnHeldUp, nowMs = uptimeMs) {
    this.#onHeldUp = onHeldUp
    this.#nowMs = nowMs
  }

  /** To be called after each try, with what holds it up; null where nothing does. */
  tried(heldBy: string | null): void {
    if (heldBy === null) {
      this.#sinceMs = null
      this.#isTold = false
      return
    }
    const nowMs = this.#nowMs()
    this.#sinceMs ??= nowMs
    const heldMs = nowMs - this.#sinceMs
    if (this.#isTold || heldMs < TOLD_AFTER_MS) return
    this.#isTold = true
    this.#onHeldUp(heldBy, new Date(Date.now() - heldMs))
  }
}
