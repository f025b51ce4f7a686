// The webhooks of a simulated day: events put into batches, some sent again, some out of order, all
// written as Meta writes JSON.
import { randomFrom } from '../random.ts'
import { Expectation } from './expectation.ts'
import { BUSINESS, peopleOf } from './people.ts'
import { type Item, scenesOf } from './scenario.ts'

export type TrafficOptions = {
  /** A part of every id; the same run and the same options give the same bytes. */
  readonly run: string
  /** Events before any is sent again; some more, where the last message has several statuses. */
  readonly count: number
  /** When the day begins, ms since 1970. */
  readonly startMs: number
  /** Items a request, at most. */
  readonly batch: number
  /** Shares from 0 to 1. */
  readonly redeliveries: number
  readonly reordered: number
  readonly noPhone: number
  readonly odd: number
}

export type Traffic = {
  /** Bodies of requests, in the order in which they are sent. */
  readonly bodies: readonly string[]
  readonly expectation: Expectation
}

/** The whole traffic, and what a service should hold that got it. */
export function trafficOf(options: TrafficOptions): Traffic {
  const { run, count, startMs, odd } = options
  const random = randomFrom(run)
  const expectation = new Expectation()
  const people = peopleOf(run, random, options.noPhone)
  const scenes = scenesOf({ run, random, people, startMs, odd, expectation })
  const items: Item[] = []
  for (const scene of scenes) if (items.push(...scene) >= count) break
  const batches = [...inBatches(items, options.batch, random)]
  const sent = reordered(withRedeliveries(batches, options, random), options.reordered, random)
  return { bodies: sent.map(bodyOf), expectation }
}

export type EvenTrafficOptions = {
  readonly run: string
  readonly requests: number
  /** Items in each request. */
  readonly items: number
  readonly startMs: number
}

/** Requests with the same number of items each, nothing odd and nothing twice: for measurements. */
export function* evenTraffic(options: EvenTrafficOptions): Generator<string> {
  const { run, requests, items: size, startMs } = options
  const random = randomFrom(run)
  const expectation = new Expectation()
  const people = peopleOf(run, random, 0)
  const items: Item[] = []
  let sent = 0
  for (const scene of scenesOf({ run, random, people, startMs, odd: 0, expectation })) {
    items.push(...scene)
    while (items.length >= size) {
      yield bodyOf(items.splice(0, size))
      if (++sent >= requests) return
    }
  }
}

/** Mostly single items, as in quiet hours, and now and then as many as may be. */
function* inBatches(
  items: readonly Item[],
  most: number,
  random: () => number,
): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; ) {
    const size = random() < 0.5 ? 1 : 1 + Math.floor(random() * most)
    yield items.slice(at, at + size)
    at += size
  }
}

/** A batch is sent again as it was, or its end together with the begin of the next one. */
function withRedeliveries(
  batches: readonly (readonly Item[])[],
  { redeliveries }: TrafficOptions,
  random: () => number,
): (readonly Item[])[] {
  return batches.flatMap((batch, i) => {
    if (random() >= redeliveries) return [batch]
    const again =
      random() < 0.5 ? batch : [...batch.slice(-2), ...(batches[i + 1] ?? []).slice(0, 2)]
    const repeated = again.filter(({ once }) => once !== true)
    return repeated.length === 0 ? [batch] : [batch, repeated]
  })
}

/** Some change places with one of the next. */
function reordered<Each>(each: readonly Each[], share: number, random: () => number): Each[] {
  const order = [...each]
  for (let i = 0; i < order.length; i++) {
    if (random() >= share) continue
    const j = Math.min(order.length - 1, i + 1 + Math.floor(random() * 8))
    const [one, other] = [order[i], order[j]]
    if (one === undefined || other === undefined) continue
    order[i] = other
    order[j] = one
  }
  return order
}

function bodyOf(items: readonly Item[]): string {
  const changes = items.map(({ field, list, item, contact }) => ({
    field,
    value: {
      messaging_product: 'whatsapp',
      metadata: BUSINESS,
      ...(contact === undefined ? {} : { contacts: [contact] }),
      ...(list === '' ? (item as object) : { [list]: [item] }),
    },
  }))
  return escaped(
    JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [{ id: '102290129340398', changes }],
    }),
  )
}

/** As Meta writes it: nothing beyond ASCII, and slashes escaped. */
function escaped(json: string): string {
  return json
    .replaceAll('/', '\\/')
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
