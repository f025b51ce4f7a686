// Every metric of the service, declared in one place. Labels have few values, whatever arrives.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { within } from '../within.ts'

/** A database that does not say its size by then keeps no other metric from being told, in ms. */
const SIZE_MS = 1000

export type WebhookResult =
  | 'created'
  | 'duplicate'
  | 'invalid_signature'
  | 'validation_error'
  | 'rejected'

const WEBHOOK_RESULTS: readonly WebhookResult[] = [
  'created',
  'duplicate',
  'invalid_signature',
  'validation_error',
  'rejected',
]

/** Read when the metrics are asked for. */
export type Gauges = {
  readonly queueItems: () => number
  readonly queueBytes: () => number
  /** Rejects while it can't be told; the metric is left out then. */
  readonly databaseBytes: () => Promise<number>
}

export type Build = { readonly name: string; readonly version: string }

export type Metrics = ReturnType<typeof createMetrics>

/** The metrics of one service, in a registry of their own. */
export function createMetrics(build: Build, gauges: Gauges) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const metrics = {
    ...requestMetrics([registry]),
    ...webhookMetrics([registry]),
    ...storeMetrics([registry]),
  }
  declareGauges(registry, build, gauges)
  return {
    ...metrics,
    contentType: registry.contentType,
    /** All metrics in Prometheus' text format. */
    expose: (): Promise<string> => registry.metrics(),
  }
}

function requestMetrics(registers: Registry[]) {
  return {
    httpRequests: new Counter({
      name: 'http_requests_total',
      help: 'Requests answered, by the pattern of their route.',
      labelNames: ['method', 'path', 'status'] as const,
      registers,
    }),
    httpSeconds: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the headers of a request to the end of its answer.',
      labelNames: ['method', 'path'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
  }
}

function webhookMetrics(registers: Registry[]) {
  const webhookRequests = new Counter({
    name: 'webhook_requests_total',
    help: 'Webhook requests, by what became of them.',
    labelNames: ['result'] as const,
    registers,
  })
  for (const result of WEBHOOK_RESULTS) webhookRequests.inc({ result }, 0)
  return {
    webhookRequests,
    webhookEvents: new Counter({
      name: 'webhook_events_total',
      help: 'Events in accepted webhook requests, by kind and by what became of them.',
      labelNames: ['kind', 'result'] as const,
      registers,
    }),
    eventLag: new Histogram({
      name: 'webhook_event_lag_seconds',
      help: 'Time from an event to its arrival, of those that were new.',
      buckets: [1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400, 604_800],
      registers,
    }),
    conflicts: new Counter({
      name: 'webhook_conflicts_total',
      help: 'Duplicates whose from, to, ts or text differs from what is stored under their id.',
      registers,
    }),
  }
}

function storeMetrics(registers: Registry[]) {
  return {
    commitSize: new Histogram({
      name: 'commit_batch_size',
      help: 'Webhook requests that share one transaction.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'commit_seconds',
      help: 'Time of a transaction, from its beginning to the end of its fsync.',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    searchIndexErrors: new Counter({
      name: 'search_index_errors_total',
      help: 'Failed tries to bring the search index up to date; searches scan what it lacks.',
      registers,
    }),
  }
}

function declareGauges(registry: Registry, build: Build, gauges: Gauges): void {
  const registers = [registry]
  new Gauge({
    name: 'write_queue_requests',
    help: 'Requests that wait for their commit.',
    registers,
    collect() {
      this.set(gauges.queueItems())
    },
  })
  new Gauge({
    name: 'write_queue_bytes',
    help: 'Bytes of the bodies that wait for their commit.',
    registers,
    collect() {
      this.set(gauges.queueBytes())
    },
  })
  new Gauge({
    name: 'database_size_bytes',
    help: 'Bytes of the database, its log and its search index on their disk.',
    registers,
    async collect() {
      const answered = gauges.databaseBytes().catch(() => null)
      const bytes = await within(SIZE_MS, answered, null)
      if (bytes === null) this.remove()
      else this.set(bytes)
    },
  })
  new Gauge({
    name: 'build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['name', 'version', 'node'] as const,
    registers,
  }).set({ name: build.name, version: build.version, node: process.version }, 1)
}
