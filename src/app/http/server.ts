// The HTTP server: limits, access, errors and routes, put together.
import fastifySwagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import type { ApiKey } from '../config-values.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Intake } from '../model/event.ts'
import type { InsertOutcome } from '../model/message.ts'
import type { WriteQueue } from '../queue/write-queue.ts'
import { Activity } from '../receive/activity.ts'
import { flat } from '../receive/flat.ts'
import { cloudApi } from '../receive/meta.ts'
import { Quarantine } from '../receive/quarantine.ts'
import type { MessageStore } from '../store/store.ts'
import type { StreamHub } from '../stream/hub.ts'
import { bareServer } from './bare-server.ts'
import { answer, answerErrors } from './error-handler.ts'
import { boundAnswers, endsWaiting, guardRequests, setHeaders } from './guards.ts'
import { collectRoutes, refuseOtherMethods } from './methods.ts'
import { openApi } from './openapi.ts'
import { readRawBodies } from './raw-body.ts'
import { Readiness } from './readiness.ts'
import { observeRequests, observer } from './request-log.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { docsRoutes } from './routes/docs.ts'
import { eventRoutes } from './routes/events.ts'
import { handshakeRoutes } from './routes/handshake.ts'
import { healthRoutes } from './routes/health.ts'
import { intakeRoutes } from './routes/intakes.ts'
import { messageRoutes } from './routes/messages.ts'
import { metricsRoute } from './routes/metrics.ts'
import { rejectionRoutes } from './routes/rejections.ts'
import { statsRoute } from './routes/stats.ts'
import { streamRoute } from './routes/stream.ts'
import { webhookRoutes } from './routes/webhook.ts'
import { endStalled } from './stalled.ts'
import { Unsent } from './unsent.ts'
import { compileValidator } from './validation.ts'

/** A connection on which nothing moves for so long is answered or closed; longer than any long poll. */
const STALLED_MS = 60_000

export type HttpDeps = {
  readonly config: Config
  /** The keys that open what needs one: those configured, or the one generated. */
  readonly apiKeys: readonly ApiKey[]
  readonly store: MessageStore
  readonly queue: WriteQueue<Intake, readonly InsertOutcome[]>
  readonly hub: StreamHub
  readonly metrics: Metrics
  readonly log: Log
}

/**
 * The server, ready to listen. Throws when a route does not declare who may use it. `stalledMs` is
 * how long nothing may move on a connection.
 */
export async function createServer(
  deps: HttpDeps,
  { stalledMs = STALLED_MS }: { stalledMs?: number } = {},
): Promise<FastifyInstance> {
  const { config, apiKeys, store, metrics, log } = deps
  const app = bareServer(config, {
    stalledMs,
    onPathError: (error, request, reply) => {
      setHeaders(request, reply)
      reply.raw.once('finish', () => observe(request, reply))
      answer(error, request, reply, log)
    },
  })
  app.setValidatorCompiler(compileValidator)
  const routes = collectRoutes(app)
  const observe = observer(log, metrics, routes)
  observeRequests(app, observe)
  answerErrors(app, log)
  const isClosing = endsWaiting(app, deps.hub)
  endStalled(app)
  guardRequests(app, { readAccess: config.readAccess, apiKeys, isClosing })
  readRawBodies(app, config)
  const unsent = new Unsent()
  boundAnswers(app, unsent)
  await app.register(fastifySwagger, openApi(config))
  receivingRoutes(app, deps)
  messageRoutes(app, store)
  conversationRoutes(app, store)
  sequenceRoutes(app, deps, { unsent, isClosing })
  statsRoute(app, store)
  metricsRoute(app, metrics)
  docsRoutes(app)
  refuseOtherMethods(app, routes)
  return app
}

/** Where webhooks come in, and what is to be known of them. */
function receivingRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const { config, store, queue, metrics, log } = deps
  const providers = { flat: flat(config.webhookSecrets), cloudApi: cloudApi(config.metaAppSecrets) }
  const all = Object.values(providers)
  const activity = new Activity()
  const quarantine = new Quarantine({
    maxRequests: config.quarantineMaxRequests,
    maxBytes: config.quarantineMaxBytes,
    providers: all,
  })
  webhookRoutes(app, { providers, queue, quarantine, activity, metrics, log })
  handshakeRoutes(app, { verifyToken: config.metaVerifyToken, activity })
  rejectionRoutes(app, { quarantine, activity, providers: all })
  const hasSecret = all.some(({ configured }) => configured)
  healthRoutes(app, { readiness: new Readiness(() => store.probe(), log), hasSecret })
}

/** The committed sequence and the requests it came from. */
function sequenceRoutes(
  app: FastifyInstance,
  { store, hub, log }: HttpDeps,
  { unsent, isClosing }: { unsent: Unsent; isClosing: () => boolean },
): void {
  const onError = (error: unknown) => log.error({ err: error }, 'a stream ended early')
  eventRoutes(app, { store, hub, isClosing })
  streamRoute(app, { store, hub, unsent, isClosing, onError })
  intakeRoutes(app, store)
}
