// Readers of the live stream whose connections are cut at random moments while messages arrive: by
// themselves, on the way, and by SIGKILL of the service. STREAM_CUTS=200 STREAM_MESSAGES=20000 for
// a longer run.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../src/app/cli/random.ts'
import { ENGINES, type Engine } from '../support/engines.ts'
import type { Service } from '../support/service.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { EventClient, type EventClientOptions } from './event-client.ts'
import { Sender } from './sender.ts'
import { type Entry, sequenceAnomalies, storedSequence } from './sequence-checker.ts'
import { type EngineSetting, newSettingOn, type Sabotage, seedOf } from './setting.ts'

const CUTS = Number(process.env['STREAM_CUTS'] ?? 20)
const MESSAGES = Number(process.env['STREAM_MESSAGES'] ?? 500)
const CLIENTS = 4
/** One cut in so many is a kill. */
const KILLING = 5
/** A client stays away for up to so long, in ms, while others go on and messages arrive. */
const LONGEST_PAUSE_MS = 60
/** Between messages that were stored and the cut, in which they are on their way to the readers. */
const LONGEST_DELAY_MS = 50
/** In which a message usually gets to every reader. */
const ARRIVAL_MS = 200

type Says = EventClientOptions['says']

/** A service that is killed and started again, behind an address that stays. */
class Replica {
  readonly #setting: EngineSetting
  readonly #entrance: TcpProxy
  #service: Service

  private constructor(setting: EngineSetting, entrance: TcpProxy, service: Service) {
    this.#setting = setting
    this.#entrance = entrance
    this.#service = service
  }

  static async start(t: TestContext, setting: EngineSetting): Promise<Replica> {
    const service = await setting.start()
    return new Replica(setting, await TcpProxy.start(t, service.port), service)
  }

  /** Where readers come in. */
  get url(): string {
    return `http://127.0.0.1:${this.#entrance.port}`
  }

  /** Has messages sent to it until it is killed or there are enough. */
  async send(sender: Sender, enough: () => boolean): Promise<void> {
    const service = this.#service
    let dead = false
    void service.ended.then(() => {
      dead = true
    })
    await sender.sendUntil(service.url, () => dead || enough())
  }

  cut(): void {
    this.#entrance.cut()
  }

  reset(): void {
    this.#entrance.reset()
  }

  async kill(): Promise<void> {
    await this.#service.stop('SIGKILL')
    this.#service = await this.#setting.start()
    this.#entrance.pointTo(this.#service.port)
  }

  stop(): Promise<unknown> {
    return this.#service.stop()
  }
}

type Cutting = {
  readonly cuts: number
  readonly messages: number
  /** What each client says it has read last. */
  readonly says: readonly Says[]
  readonly sabotage?: Sabotage
}

/** Resolves with what each client was given that is not the sequence. */
async function followUnderCuts(engine: Engine, t: TestContext, cutting: Cutting) {
  const seed = seedOf(t)
  const random = randomFrom(seed)
  const setting = await newSettingOn(engine, t, cutting.sabotage)
  // Only PostgreSQL is shared by several.
  const count = engine.name === 'PostgreSQL' ? 2 : 1
  const starting = Array.from({ length: count }, () => Replica.start(t, setting))
  const replicas = await Promise.all(starting)
  const clients = cutting.says.map((says, i) => {
    const urls = replicas.map((_, n) => replicas[(n + i) % count]?.url ?? '')
    const pauseMs = () => random() * LONGEST_PAUSE_MS
    return new EventClient({ urls, pauseMs, ...(says === undefined ? {} : { says }) })
  })
  for (const client of clients) {
    client.start()
    t.after(() => client.close())
  }
  const sender = new Sender({ seed })
  await sendUnderCuts(cutting, { random, sender, replicas, clients })
  const stored = await readToTheEnd(setting.url, { random, sender, replicas, clients })
  const streams = clients.reduce((sum, client) => sum + client.streams, 0)
  t.diagnostic(`${stored.length} events, ${cutting.cuts} cuts, ${streams} streams`)
  for (const client of clients) {
    await client.close()
    assert.deepEqual(
      [...client.refused.keys()].filter((status) => status !== 503),
      [],
      'a place is refused that a stream gave',
    )
  }
  for (const replica of replicas) await replica.stop()
  assert.deepEqual(await setting.anomalies(sender.sent), [])
  return clients.map(({ seen, streams }) => ({ found: sequenceAnomalies(stored, seen), streams }))
}

type Scene = {
  readonly random: () => number
  readonly sender: Sender
  readonly replicas: readonly Replica[]
  readonly clients: readonly EventClient[]
}

/** Messages arrive part by part, and in each part something is cut. */
async function sendUnderCuts({ cuts, messages }: Cutting, scene: Scene): Promise<void> {
  const { random, sender, replicas } = scene
  for (let cut = 0; cut < cuts; cut++) {
    const enough = Math.floor((messages * (cut + 1)) / cuts)
    const some = sender.acknowledged + Math.floor((enough - sender.acknowledged) * random())
    const sending = replicas.map((each) => each.send(sender, () => sender.acknowledged >= enough))
    await until('some are stored', () => sender.acknowledged >= some)
    await sleep(random() * LONGEST_DELAY_MS)
    await cutSomething(scene, cut % KILLING === KILLING - 1)
    await Promise.all(sending)
  }
  await oneOf(random, replicas).send(sender, () => sender.acknowledged >= messages)
}

/**
 * Resolves with the whole sequence when every client has come to its end. One that was taken past it
 * learns so with the next message.
 */
async function readToTheEnd(url: string, { random, sender, replicas, clients }: Scene) {
  let stored: readonly Entry[] = []
  await until('every client has come to the end', async () => {
    const more = sender.acknowledged + 1
    await oneOf(random, replicas).send(sender, () => sender.acknowledged >= more)
    stored = await storedSequence(url)
    await sleep(ARRIVAL_MS)
    return clients.every(({ position }) => position >= (stored.at(-1)?.seq ?? 0))
  })
  return stored
}

async function cutSomething({ random, replicas, clients }: Scene, isKill: boolean): Promise<void> {
  const replica = oneOf(random, replicas)
  if (isKill) return await replica.kill()
  const client = oneOf(random, clients)
  oneOf(random, [() => client.cut(), () => replica.cut(), () => replica.reset()])()
}

function oneOf<Item>(random: () => number, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('There is none to choose from.')
  return item
}

const soundly: Says = undefined

for (const engine of ENGINES) {
  test(`${engine.name}: ${CLIENTS} streams cut ${CUTS} times while ${MESSAGES} messages arrive give each event once and in order`, {
    timeout: 3_600_000,
  }, async (t) => {
    const says = Array.from({ length: CLIENTS }, () => soundly)
    const results = await followUnderCuts(engine, t, { cuts: CUTS, messages: MESSAGES, says })
    for (const { found, streams } of results) {
      assert.deepEqual(found, [])
      assert.ok(streams > 1, 'it was cut')
    }
  })

  test(`${engine.name}: clients that come again with another place than they read last are caught`, async (t) => {
    const results = await followUnderCuts(engine, t, {
      cuts: 15,
      messages: 750,
      says: [() => null, (last) => Math.max(0, last - 1), soundly],
    })
    const [forgetful, repeating, sound] = results.map(({ found }) => found.join('\n'))
    assert.match(forgetful ?? '', /was passed over/)
    assert.match(repeating ?? '', /came again/)
    assert.equal(sound, '')
  })
}

test('the twin that takes a reader who is behind for up to date is caught passing over events', async (t) => {
  const [engine] = ENGINES
  assert.ok(engine)
  const says = Array.from({ length: CLIENTS }, () => soundly)
  const results = await followUnderCuts(engine, t, {
    ...{ cuts: 15, messages: 750, says },
    sabotage: 'no catching up',
  })
  const found = results.flatMap((result) => result.found)
  assert.ok(
    found.some((anomaly) => anomaly.includes('was passed over')),
    found.join('\n'),
  )
})
