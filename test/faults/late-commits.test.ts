// Transactions of several writers that take their numbers and end in seeded orders, under the eyes
// of followers of every kind. INTERLEAVINGS=1000 for a longer run.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { randomFrom } from '../../src/app/cli/random.ts'
import type { Intake } from '../../src/app/model/event.ts'
import { StreamHub } from '../../src/app/stream/hub.ts'
import { aMessage, intakeOf } from '../support/a-message.ts'
import { aStatus, change } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'
import { until } from '../support/until.ts'
import { EventClient } from './event-client.ts'
import { followHub, PageFollower } from './followers.ts'
import { type Entry, sequenceAnomalies, storedSequence } from './sequence-checker.ts'
import { newSettingFor, seedOf } from './setting.ts'

const INTERLEAVINGS = Number(process.env['INTERLEAVINGS'] ?? 60)
const WRITERS = 4
/** One step in so many is followed by a pause of up to so many ms, in which followers read. */
const PAUSING = 5
const LONGEST_PAUSE_MS = 100
/** In which an event usually gets to every follower. */
const ARRIVAL_MS = 200
/** One transaction in so many is rolled back. */
const ROLLED_BACK = 5

type Random = () => number
type Step = (random: Random) => Promise<void>

let statuses = 0

/** Up to three requests, of a person nobody else speaks of: a new one makes others wait. */
function someIntakes(random: Random, writer: number): Intake[] {
  const phone = `1415555010${writer}`
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
    random() < 0.7
      ? intakeOf(aMessage({ from: `+${phone}` }))
      : intakeWith(
          change({ statuses: [aStatus(`of-${++statuses}`, 'sent', { recipient_id: phone })] }),
        ),
  )
}

/** The order in which transactions took their numbers, and which of them ended late. */
class Order {
  late = 0
  #taken = 0
  #newestCommitted = 0

  take(): number {
    return ++this.#taken
  }

  commit(taken: number): void {
    if (taken < this.#newestCommitted) this.late++
    this.#newestCommitted = Math.max(taken, this.#newestCommitted)
  }
}

/** A connection whose transaction takes its numbers in one step, and ends in another. */
class HeldWriter {
  readonly #client: Client
  readonly #number: number
  readonly #order: Order
  #taken: number | null = null

  constructor(client: Client, number: number, order: Order) {
    this.#client = client
    this.#number = number
    this.#order = order
  }

  async step(random: Random): Promise<void> {
    if (this.#taken === null) {
      await this.#client.query('begin')
      await ingest(this.#client, someIntakes(random, this.#number))
      this.#taken = this.#order.take()
      return
    }
    const isKept = random() >= 1 / ROLLED_BACK
    await this.#client.query(isKept ? 'commit' : 'rollback')
    if (isKept) this.#order.commit(this.#taken)
    this.#taken = null
  }
}

function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

/** Each writer begins and ends a transaction, in any order; followers read whenever they do. */
async function interleave(random: Random, writers: readonly HeldWriter[], replica: Step) {
  const held = writers.map(
    (writer): Step =>
      (next) =>
        writer.step(next),
  )
  for (const step of shuffled(random, [...held, ...held, replica])) {
    await step(random)
    if (random() < 1 / PAUSING) await sleep(random() * LONGEST_PAUSE_MS)
  }
}

/** Resolves with what each follower was given that is not the sequence, by its name. */
async function followInterleavings(t: TestContext, count: number, sabotage?: string) {
  const random = randomFrom(seedOf(t))
  const url = await newDatabase()
  const service = await newSettingFor(url, t).start()
  let hub: StreamHub | undefined
  const store = await openStoreFor(t, url, { onCommitted: () => hub?.wake() })
  if (sabotage !== undefined) await (await connectFor(t, url)).query(sabotage)
  hub = new StreamHub({
    eventsAfter: (request) => store.eventsAfter(request),
    addressesOf: (keys) => store.addressesOf(keys),
    onError: assert.ifError,
    onRead: () => {},
    onLost: assert.ifError,
  })
  t.after(async () => hub.close())
  const pages = new PageFollower(store)
  const client = new EventClient({ urls: [service.url] })
  const seen = { pages: pages.seen, hub: followHub(hub), stream: client.seen }
  pages.start()
  client.start()
  t.after(() => client.close())

  const order = new Order()
  const connections = Array.from({ length: WRITERS }, () => connectFor(t, url))
  const writers = (await Promise.all(connections)).map((own, i) => new HeldWriter(own, i, order))
  // Commits at once, in the midst of the others, and wakes whoever follows.
  const replica: Step = async (next) => {
    await store.insert(someIntakes(next, WRITERS))
    order.commit(order.take())
    hub.wake()
  }
  for (let n = 0; n < count; n++) await interleave(random, writers, replica)
  let stored: readonly Entry[] = []
  // Without the guard the last of all may be passed over too.
  await until('everybody has come to the end', async () => {
    await replica(random)
    stored = await storedSequence(url)
    await sleep(ARRIVAL_MS)
    const end = stored.at(-1)?.seq
    return Object.values(seen).every((entries) => entries.at(-1)?.seq === end)
  })
  await pages.close()
  t.diagnostic(`${stored.length} events, ${order.late} transactions ended late of ${count} orders`)
  assert.ok(order.late > 0)
  assert.equal(client.streams, 1)
  return Object.entries(seen).map(([name, entries]) => ({
    name,
    found: sequenceAnomalies(stored, entries),
  }))
}

test(`transactions end in ${INTERLEAVINGS} seeded orders: pages, hub and stream give each event once and in order`, {
  timeout: 3_600_000,
}, async (t) => {
  for (const { name, found } of await followInterleavings(t, INTERLEAVINGS)) {
    assert.deepEqual(found, [], name)
  }
})

test('the twin that reads up to the last number given is caught passing over late ones, by all three', async (t) => {
  const unguarded =
    "create or replace function settled_seq_1() returns bigint language sql as 'select last_given_seq_1()'"
  for (const { name, found } of await followInterleavings(t, 30, unguarded)) {
    assert.ok(
      found.some((anomaly) => anomaly.includes('was passed over')),
      `${name}: ${found.join('\n')}`,
    )
  }
})
