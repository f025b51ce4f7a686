// The service with one guard taken out, to prove that a fault test would see it missing. Composed
// from the service's own parts and started as a process like it; SABOTAGE names the guard.
import { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../../src/app/config.ts'
import { createServer } from '../../src/app/http/server.ts'
import { Unsent } from '../../src/app/http/unsent.ts'
import { createLog } from '../../src/app/log.ts'
import { createMetrics } from '../../src/app/metrics/metrics.ts'
import type { Intake } from '../../src/app/model/event.ts'
import type { InsertOutcome } from '../../src/app/model/message.ts'
import { WriteQueue } from '../../src/app/queue/write-queue.ts'
import { queueBounds } from '../../src/app/service.ts'
import { openStore } from '../../src/app/store/open.ts'
import { type Follower, StreamHub } from '../../src/app/stream/hub.ts'

type Outcomes = readonly InsertOutcome[]
type Write = (batch: readonly Intake[]) => Promise<readonly Outcomes[]>

const config = readConfig(process.env)
const { log } = createLog(config)
const sabotage = process.env['SABOTAGE'] ?? ''
const store = await openStore({
  url: config.databaseUrl,
  poolSize: sabotage === 'no pool limit' ? 1000 : config.databasePoolSize,
  onIndexError: () => {},
  onUpkeepError: () => {},
  onCommitted: () => {},
})
let copies = 0

const insert: Write = async (batch) => (await store.insert(batch)).outcomes
const created = (batch: readonly unknown[]): Outcomes[] => batch.map(() => [{ kind: 'created' }])

const SABOTAGE: Record<string, Write> = {
  /** Answers before the commit, which comes a moment later. */
  'early answer': async (batch) => {
    void delay(20).then(() => insert(batch).catch(() => {}))
    return created(batch)
  },
  /** Takes a failed commit for a good one. */
  'ignored failure': (batch) => insert(batch).catch(() => created(batch)),
  /** Stores a message as often as it comes. */
  'no unique index': (batch) =>
    insert(
      batch.map((intake) => ({
        ...intake,
        events: intake.events.map((event) => ({
          ...event,
          messageId: `${process.pid}-${copies++}`,
        })),
      })),
    ),
  /** Logs what it stores, and where. */
  'talkative log': (batch) => {
    const bodies = batch.map(({ body }) => Buffer.from(body).toString('base64'))
    log.info({ bodies, database: config.databaseUrl }, 'storing')
    return insert(batch)
  },
}

/** Takes what it has no room for as if it were stored. */
class OverflowingQueue extends WriteQueue<Intake, Outcomes> {
  override isFullFor(bytes: number): boolean {
    return bytes > 0 && super.isFullFor(bytes)
  }

  override add(item: Intake): Promise<Outcomes> {
    return super.add(item).catch(() => created([item])[0] ?? [])
  }
}

const others = [
  'accepted overflow',
  'endless patience',
  'no connection limit',
  'no catching up',
  'no pool limit',
  'boundless readers',
]
const write = SABOTAGE[sabotage] ?? (others.includes(sabotage) ? insert : undefined)
if (write === undefined) throw new Error('SABOTAGE names no guard.')
const Queue = sabotage === 'accepted overflow' ? OverflowingQueue : WriteQueue<Intake, Outcomes>
const queue = new Queue({
  write,
  ...queueBounds(config),
})
let head = 0
/** Takes whoever is behind for up to date. */
class HastyHub extends StreamHub {
  override join(follower: Follower, position: number): (() => void) | null {
    return super.join(follower, position) ?? super.join(follower, head)
  }
}

const Hub = sabotage === 'no catching up' ? HastyHub : StreamHub
const hub = new Hub({
  eventsAfter: async (request) => {
    const page = await store.eventsAfter(request)
    head = page.next
    return page
  },
  addressesOf: (keys) => store.addressesOf(keys),
  onError: () => {},
  onRead: () => {},
  onLost: () => {},
})
const metrics = createMetrics(
  { name: 'sabotaged', version: '0' },
  { queueItems: () => 0, queueBytes: () => 0, databaseBytes: async () => 0 },
)
const server = await createServer({ config, apiKeys: [], store, queue, hub, metrics, log })
if (sabotage === 'endless patience') {
  Object.assign(server.server, { headersTimeout: 0, requestTimeout: 0, timeout: 0 })
}
if (sabotage === 'boundless readers') {
  Object.defineProperty(ServerResponse.prototype, 'writableNeedDrain', { get: () => false })
  Unsent.prototype.hold = () => () => {}
}
if (sabotage === 'no connection limit') server.server.maxConnections = Number.POSITIVE_INFINITY
await server.listen({ host: config.host, port: config.port })
log.info({ port: (server.server.address() as AddressInfo).port }, 'listening')
process.on('SIGTERM', () => process.exit(0))
