// The HTTP server in this process, in front of a real store, in memory or on PostgreSQL. When it closes, it checks
// what holds for every test: no log line tells a secret or a message, and every answer was one that
// the API's description promises.
import type { AddressInfo } from 'node:net'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { type Config, type Environment, readConfig } from '../../src/app/config.ts'
import { createServer } from '../../src/app/http/server.ts'
import { createMetrics } from '../../src/app/metrics/metrics.ts'
import type { Intake } from '../../src/app/model/event.ts'
import type { InsertOutcome } from '../../src/app/model/message.ts'
import { WriteQueue } from '../../src/app/queue/write-queue.ts'
import { queueBounds } from '../../src/app/service.ts'
import { openStore } from '../../src/app/store/open.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { StreamHub } from '../../src/app/stream/hub.ts'
import { CapturedLog } from './captured-log.ts'
import { newDatabase } from './databases.ts'
import { describedAnswers } from './described-answers.ts'
import type { Scope } from './service.ts'
import { CANARY, SECRET, signed } from './signed.ts'
import { until } from './until.ts'

/** `postgresql`: the same tests on the other engine. */
const TEST_ENGINE = process.env['TEST_ENGINE'] ?? 'sqlite'

export const API_KEY = 'canary-key-0123456789abcdef'

export type ServerOptions = {
  readonly environment?: Environment
  /** Replaces methods of the store in memory, which it is handed. */
  readonly store?: (real: MessageStore) => Partial<MessageStore>
  /** How long nothing may move on a connection. Default: as long as in the service. */
  readonly stalledMs?: number
}

type Body = object | string | Uint8Array
type Headers = Record<string, string>

export type TestServer = {
  readonly app: FastifyInstance
  readonly config: Config
  readonly log: CapturedLog
  readonly queue: WriteQueue<Intake, readonly InsertOutcome[]>
  /** Sends a signed body. */
  post(
    body: Body,
    options?: { secret?: string; headers?: Headers },
  ): Promise<LightMyRequestResponse>
  /** Reads with the right key. */
  get(url: string, headers?: Headers): Promise<LightMyRequestResponse>
  /** Listens on a free port of 127.0.0.1 and returns it. */
  listen(): Promise<number>
}

/** A server that is closed at the end of `scope`. Routes and hooks can be added until it is used. */
export async function openServer(scope: Scope, options: ServerOptions = {}): Promise<TestServer> {
  const config = readConfig({
    WEBHOOK_SECRET: SECRET,
    DATABASE_URL: TEST_ENGINE === 'postgresql' ? await newDatabase() : 'sqlite://',
    API_KEYS: `reader:${API_KEY}`,
    ...options.environment,
  })
  const log = new CapturedLog()
  const real = await openStore({
    url: config.databaseUrl,
    poolSize: config.databasePoolSize,
    onIndexError: (err) => log.log.error({ err }, 'index'),
    onUpkeepError: (err) => log.log.error({ err }, 'upkeep'),
    onCommitted: () => {},
  })
  // On a slow machine the first connection to PostgreSQL may take more than one try.
  const takesMessages = () =>
    real.probe().then(
      () => true,
      () => false,
    )
  await until('the store takes messages', takesMessages)
  const store = withMethods(real, options.store?.(real) ?? {})
  const hub = new StreamHub({
    eventsAfter: (request) => store.eventsAfter(request),
    addressesOf: (keys) => store.addressesOf(keys),
    onError: (err) => log.log.error({ err }, 'hub'),
    onRead: () => {},
    onLost: (err) => log.log.error({ err }, 'hub lost a follower'),
  })
  const queue = queueFor(config, store, hub)
  const metrics = createMetrics(
    { name: config.appName, version: config.appVersion },
    {
      queueItems: () => queue.items,
      queueBytes: () => queue.bytes,
      databaseBytes: () => store.sizeBytes(),
    },
  )
  const { stalledMs } = options
  const app = await createServer(
    { config, apiKeys: config.apiKeys, store, queue, hub, metrics, log: log.log },
    stalledMs === undefined ? {} : { stalledMs },
  )
  const answers = describedAnswers(app)
  scope.after(async () => {
    await app.close()
    await queue.drain()
    hub.close()
    await real.close()
    log.assertFreeOf([SECRET, API_KEY, ...config.webhookSecrets, ...Object.values(CANARY)])
    answers.check()
  })
  return {
    app,
    config,
    log,
    queue,
    post: (body, how) => app.inject(signed(body, how)),
    get: (url, headers) =>
      app.inject({ url, headers: { authorization: `Bearer ${API_KEY}`, ...headers } }),
    listen: async () => {
      await app.listen({ host: '127.0.0.1', port: 0 })
      return (app.server.address() as AddressInfo).port
    },
  }
}

function queueFor(config: Config, store: MessageStore, hub: StreamHub) {
  return new WriteQueue<Intake, readonly InsertOutcome[]>({
    write: async (batch) => {
      const { outcomes } = await store.insert(batch)
      hub.wake()
      return outcomes
    },
    ...queueBounds(config),
  })
}

function withMethods(real: MessageStore, methods: Partial<MessageStore>): MessageStore {
  return {
    insert: (batch) => real.insert(batch),
    page: (request) => real.page(request),
    find: (messageId) => real.find(messageId),
    expireIntakes: (before) => real.expireIntakes(before),
    conversations: (request) => real.conversations(request),
    eventsAfter: (request) => real.eventsAfter(request),
    lastSeq: () => real.lastSeq(),
    addressesOf: (keys) => real.addressesOf(keys),
    intake: (id) => real.intake(id),
    rawBody: (id) => real.rawBody(id),
    stats: () => real.stats(),
    probe: () => real.probe(),
    sizeBytes: () => real.sizeBytes(),
    failed: real.failed,
    close: () => real.close(),
    ...methods,
  }
}
