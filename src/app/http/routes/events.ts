// GET /events: the committed sequence, part after part, waiting for more where asked to.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../../errors.ts'
import type { SequencePage } from '../../model/event.ts'
import type { SequenceReader, SequenceRequest } from '../../store/store.ts'
import type { StreamHub } from '../../stream/hub.ts'
import { ERRORS, READ_ERRORS } from '../api-types.ts'
import { eventFilter } from '../event-filter.ts'
import { EventList, EventsQuery } from '../event-types.ts'
import { requirePosition } from '../position.ts'
import { presentEntry } from '../present.ts'

/** Long polls that meet too many reads at once try again after a random time of up to this, in ms. */
const SPREAD_MS = 200

export type EventDeps = {
  readonly store: Pick<SequenceReader, 'eventsAfter'>
  readonly hub: Pick<StreamHub, 'changed'>
  /** Whether the server closes: whoever waits is answered then. */
  readonly isClosing: () => boolean
}

/** Adds the route to `app`. */
export function eventRoutes(app: FastifyInstance, deps: EventDeps): void {
  app.get<{ Querystring: EventsQuery }>(
    '/events',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Follow everything that was committed',
        description:
          'All kinds in one sequence, from any place on. Numbers rise, with gaps. `kind` and `key` say which entry it is, for good; the rest is as it is known when it is read. Later entries tell of edits, revocations, statuses and the content of a placeholder. Without one, a status that comes again with an earlier time changes its `ts`, `stale`, `data`, `contact` and `business_phone_number_id`, and perhaps the `status` of its message; and the `contact` of any entry, also its `key`, is that person as last known.',
        tags: ['events'],
        querystring: EventsQuery,
        response: { 200: EventList, ...READ_ERRORS, 409: ERRORS[409], 422: ERRORS[422] },
      },
    },
    async ({ query, raw }) => {
      const { after, limit, wait } = query
      const waiting = new Waiting(wait * 1000, () => deps.isClosing() || raw.socket.destroyed)
      const page = await nextPage(deps, { filter: eventFilter(query), after, limit }, waiting)
      return { data: page.entries.map(presentEntry), next: page.next }
    },
  )
}

/** The next part with anything in it, or whatever there is when the time is over. */
async function nextPage(
  { store, hub }: EventDeps,
  request: SequenceRequest,
  waiting: Waiting,
): Promise<SequencePage> {
  let { after } = request
  for (;;) {
    // Asked for before reading: a commit in between is not missed.
    const changed = waiting.isOver() ? Promise.resolve() : hub.changed(waiting.leftMs())
    const page = await store.eventsAfter({ ...request, after }).catch((error: unknown) => {
      if (waiting.isOver() || !isOverloaded(error)) throw error
      return null
    })
    if (page === null) {
      await sleep(Math.min(Math.random() * SPREAD_MS, waiting.leftMs()))
      continue
    }
    requirePosition(after, page)
    if (page.entries.length > 0 || waiting.isOver()) return page
    after = page.next
    await changed
  }
}

function isOverloaded(error: unknown): boolean {
  return error instanceof AppError && error.code === 'reads_overloaded'
}

class Waiting {
  readonly #untilMs: number
  readonly #isGivenUp: () => boolean

  constructor(ms: number, isGivenUp: () => boolean) {
    this.#untilMs = performance.now() + ms
    this.#isGivenUp = isGivenUp
  }

  leftMs(): number {
    return Math.max(0, this.#untilMs - performance.now())
  }

  isOver(): boolean {
    return this.leftMs() === 0 || this.#isGivenUp()
  }
}
