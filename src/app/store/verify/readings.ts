// What was in a body, by the rules of today and by those it may have been stored under.
import { CURRENT_RULES, type IncomingEvent, RULES, type Rules } from '../../model/event.ts'

type Parse = (rules: Rules) => readonly IncomingEvent[]

/** The events of one body. Those of earlier rules are asked for only where later ones don't do. */
export class Readings {
  readonly #parse: Parse
  readonly #events = new Map<Rules, readonly IncomingEvent[]>()

  /** Throws where `parse` does by the rules of today. */
  constructor(parse: Parse) {
    this.#parse = parse
    this.#events.set(CURRENT_RULES, parse(CURRENT_RULES))
  }

  /**
   * How a row differs from its event, by the rules by which it differs least; null where none know
   * of such an event. `differences` says the same of some events.
   */
  differences(
    differences: (events: readonly IncomingEvent[]) => readonly string[] | null,
  ): readonly string[] | null {
    let least: readonly string[] | null = null
    for (const rules of RULES) {
      const found = differences(this.#eventsBy(rules))
      if (found?.length === 0) return found
      if (least === null || (found !== null && found.length < least.length)) least = found
    }
    return least
  }

  #eventsBy(rules: Rules): readonly IncomingEvent[] {
    const events = this.#events.get(rules) ?? this.#parse(rules)
    this.#events.set(rules, events)
    return events
  }
}
