// The composition root: makes the stages and hands each the functions it needs of the others. The
// formats (receive/) are put together in http/server.ts, which alone uses them.
import type { AddressInfo } from 'node:net'
import { findApiKeys } from './api-key.ts'
import type { Config } from './config.ts'
import { createServer } from './http/server.ts'
import type { Log } from './log.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { costOf, MAX_BATCH_COST } from './model/cost.ts'
import type { Intake } from './model/event.ts'
import type { InsertOutcome } from './model/message.ts'
import { OutageLog } from './outage-log.ts'
import { WriteQueue } from './queue/write-queue.ts'
import { openStore } from './store/open.ts'
import { Retention } from './store/retention.ts'
import type { MessageStore, StoreFailure } from './store/store.ts'
import { StreamHub } from './stream/hub.ts'

/**
 * Connections that may wait to be accepted. Of more at once the system drops some without a word,
 * and their senders wait for a minute; it may set a lower limit itself (net.core.somaxconn).
 */
const BACKLOG = 4096

export type Service = {
  /** Where it listens; the port is the real one, also when 0 was asked for. */
  readonly address: AddressInfo
  /** Resolves once the store can't be trusted any more and the process should end. */
  readonly failed: Promise<StoreFailure>
  /** Stops accepting, finishes what is in flight, commits the queue and closes the store. */
  close(): Promise<void>
}

/** What the queue holds at most, and what a batch of it may cost. */
export function queueBounds({
  queueMaxRequests,
  queueMaxBytes,
}: Pick<Config, 'queueMaxRequests' | 'queueMaxBytes'>) {
  return {
    bytesOf: ({ body }: Intake) => body.byteLength,
    maxItems: queueMaxRequests,
    maxBytes: queueMaxBytes,
    costOf,
    maxBatchCost: MAX_BATCH_COST,
  }
}

/** What the store tells of while it runs, in the log and the metrics. */
function storeReports(log: Log, metrics: Metrics) {
  const database = new OutageLog(log)
  const index = new OutageLog(log)
  return {
    onIndexError: (error: unknown) => {
      metrics.searchIndexErrors.inc()
      index.failed('the search index could not be brought up to date; it is tried again', error)
    },
    onIndexed: () => index.ended('the search index is being brought up to date again'),
    onUpkeepError: (error: unknown) =>
      database.failed('the database did not answer; it is tried again', error),
    onUpkeepHeldUp: (because: string, since: Date) =>
      log.warn(
        { since, because },
        'the tables for the raw bodies of the next days could not be made',
      ),
    onReached: () => database.ended('the database answers'),
    onClocksApart: (secondsAhead: number) =>
      log.warn({ secondsAhead }, 'the clocks of this machine and of the database server differ'),
    onForeignCreators: (remedy: string) =>
      log.warn(
        { remedy },
        "others may create objects in the database's schema, and could take over what stores messages with them: let the owner of the schema run the remedy",
      ),
  }
}

/** What the streams tell of, in the log. */
function streamReports(log: Log) {
  const streams = new OutageLog(log)
  return {
    onError: (error: unknown) =>
      streams.failed('the streams could not read on; they try again', error),
    onRead: () => streams.ended('the streams read on again'),
    onLost: (error: unknown) => log.error({ err: error }, 'a stream ended early'),
  }
}

/** Raw bodies expire; one that is kept from that is told of. */
function expiryOf(store: MessageStore, { rawRetentionDays }: Config, log: Log): Retention {
  return new Retention({
    days: rawRetentionDays,
    expire: (before) => store.expireIntakes(before),
    onError: (error) =>
      log.warn({ err: error }, 'raw bodies could not expire; this is tried again'),
    onHeldUp: (because, since) =>
      log.warn({ since, because }, 'raw bodies have been kept from expiring'),
  })
}

/** Requests wait here for their commit. */
function queueBefore(
  store: MessageStore,
  { config, metrics, onCommitted }: { config: Config; metrics: Metrics; onCommitted: () => void },
): WriteQueue<Intake, readonly InsertOutcome[]> {
  return new WriteQueue({
    write: async (batch) => {
      const { outcomes, seconds } = await store.insert(batch)
      metrics.commitSize.observe(batch.length)
      metrics.commitSeconds.observe(seconds)
      onCommitted()
      return outcomes
    },
    ...queueBounds(config),
  })
}

/** Starts the service. Rejects when the database can't be opened or the port can't be taken. */
export async function startService(config: Config, log: Log): Promise<Service> {
  const metrics = createMetrics(
    { name: config.appName, version: config.appVersion },
    {
      queueItems: () => queue.items,
      queueBytes: () => queue.bytes,
      databaseBytes: () => store.sizeBytes(),
    },
  )
  const hub = new StreamHub({
    eventsAfter: (request) => store.eventsAfter(request),
    addressesOf: (keys) => store.addressesOf(keys),
    ...streamReports(log),
  })
  const store = await openStore({
    url: config.databaseUrl,
    poolSize: config.databasePoolSize,
    ...storeReports(log, metrics),
    onCommitted: () => hub.wake(),
  })
  const retention = expiryOf(store, config, log)
  const queue = queueBefore(store, { config, metrics, onCommitted: () => hub.wake() })
  const close = async () => {
    await server?.close()
    await queue.drain()
    hub.close()
    retention.stop()
    await store.close()
  }
  let server: Awaited<ReturnType<typeof createServer>> | undefined
  try {
    const apiKeys = findApiKeys(config, log)
    server = await createServer({ config, apiKeys, store, queue, hub, metrics, log })
    retention.start()
    await server.listen({ host: config.host, port: config.port, backlog: BACKLOG })
    return { address: server.server.address() as AddressInfo, failed: store.failed, close }
  } catch (error) {
    await close()
    throw error
  }
}
