// The service with one guard taken out, to prove that a fault test would see it missing. Composed
// from the service's own parts and started as a process like it; SABOTAGE names the guard.
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../../src/app/config.ts'
import { createServer } from '../../src/app/http/server.ts'
import { createLog } from '../../src/app/log.ts'
import { createMetrics } from '../../src/app/metrics/metrics.ts'
import type { IncomingMessage, InsertOutcome } from '../../src/app/model/message.ts'
import { WriteQueue } from '../../src/app/queue/write-queue.ts'
import { openStore } from '../../src/app/store/open.ts'

type Write = (batch: readonly IncomingMessage[]) => Promise<readonly InsertOutcome[]>

const config = readConfig(process.env)
const { log } = createLog(config)
const store = await openStore({ url: config.databaseUrl, onIndexError: () => {} })
let copies = 0

const insert: Write = async (batch) => (await store.insert(batch)).outcomes
const created = (batch: readonly unknown[]): InsertOutcome[] =>
  batch.map(() => ({ kind: 'created' }))

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
    insert(batch.map((message) => ({ ...message, messageId: `${process.pid}-${copies++}` }))),
}

const write = SABOTAGE[process.env['SABOTAGE'] ?? '']
if (write === undefined) throw new Error('SABOTAGE names no guard.')
const queue = new WriteQueue<IncomingMessage, InsertOutcome>({
  write,
  bytesOf: ({ body }) => body.byteLength,
  maxItems: config.queueMaxRequests,
  maxBytes: config.queueMaxBytes,
})
const metrics = createMetrics(
  { name: 'sabotaged', version: '0' },
  { queueItems: () => 0, queueBytes: () => 0, databaseBytes: async () => 0 },
)
const server = await createServer({ config, apiKeys: [], store, queue, metrics, log })
await server.listen({ host: config.host, port: config.port })
log.info({ port: (server.server.address() as AddressInfo).port }, 'listening')
process.on('SIGTERM', () => process.exit(0))
