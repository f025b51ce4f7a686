// What was in a body, by the rules of today and by those it may have been stored under.
import type { IncomingEvent, Rules } from '../../model/event.ts'

/** The events of one body. The former ones are asked for only where the current ones don't do. */
export class Readings {
  readonly #parse: (rules: Rules) => readonly IncomingEvent[]
  readonly #current: readonly IncomingEvent[]
  #former: readonly IncomingEvent[] | null = null

  /** Throws where `parse` does by the rules of today. */
  constructor(parse: (rules: Rules) => readonly IncomingEvent[]) {
    this.#parse = parse
    this.#current = parse('current')
  }

  /**
   * How a row differs from its event, by the rules by which it differs least; null where neither know
   * of such an event. `differences` says the same of some events.
   */
  differences(
    differences: (events: readonly IncomingEvent[]) => readonly string[] | null,
  ): readonly string[] | null {
    const current = differences(this.#current)
    if (current?.length === 0) return current
    this.#former ??= this.#parse('former')
    const former = differences(this.#former)
    if (current === null || former === null) return current ?? former
    return former.length < current.length ? former : current
  }
}
