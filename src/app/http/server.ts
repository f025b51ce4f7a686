// The HTTP server: limits, access, errors and routes, put together.
import { METHODS as httpMethods } from 'node:http'
import fastifySwagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import type { ApiKey } from '../config-values.ts'
import { AppError } from '../errors.ts'
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
import { BodyBudget } from './body-budget.ts'
import { answer, answerErrors } from './error-handler.ts'
import { answerClientError } from './framing.ts'
import { boundAnswers, endsWaiting, guardRequests, setHeaders } from './guards.ts'
import { openApi } from './openapi.ts'
import { collectBody } from './raw-body.ts'
import { Readiness } from './readiness.ts'
import { observeRequests, observer, requestId } from './request-log.ts'
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

const MAX_HEADER_BYTES = 16 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const TIMEOUT_CHECK_MS = 1000
/** A connection on which nothing moves for so long is answered or closed; longer than any long poll. */
const STALLED_MS = 60_000
/** All that Node reads, but for tunnels, which never become requests. */
const METHODS = httpMethods.filter((method) => method !== 'CONNECT')
const ROUTABLE = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

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
  const app = Fastify({
    logger: false,
    genReqId: requestId,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: stalledMs,
    bodyLimit: config.maxBodyBytes,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => answerClientError(error, socket),
    frameworkErrors: (error, request, reply) => {
      // A path that can't be decoded: Fastify runs no hooks for it.
      setHeaders(request, reply)
      reply.raw.once('finish', () => observe(request, reply))
      answer(error, request, reply, log)
    },
    // An id too long for any message is looked up like any other, and not found.
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      // isAmbiguous refuses what has no Host, as JSON and with a line in the log.
      requireHostHeader: false,
    },
  })
  app.server.maxConnections = config.maxConnections
  // An expectation nobody knows may be ignored; Node itself would answer without a body.
  app.server.on('checkExpectation', (request, response) => {
    app.server.emit('request', request, response)
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

type MethodsByPath = Map<string, Set<string>>

/** Notes the methods of every route that is added from now on. */
function collectRoutes(app: FastifyInstance): MethodsByPath {
  const routes: MethodsByPath = new Map()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = routes.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    routes.set(url, methods)
  })
  return routes
}

/** A known path with another method is 405 and names the methods it has. */
function refuseOtherMethods(app: FastifyInstance, routes: MethodsByPath): void {
  // Otherwise they would be 404 on every path, and QUERY an error of Fastify's own.
  for (const method of METHODS.filter((method) => !ROUTABLE.includes(method))) {
    app.addHttpMethod(method, { overrideExisting: true })
  }
  for (const [url, methods] of [...routes]) {
    const allow = [...methods].join(', ')
    app.route({
      url,
      method: METHODS.filter((method) => !methods.has(method)),
      config: { access: 'public' },
      schema: { hide: true },
      handler: (_request, reply) => {
        reply.header('allow', allow)
        throw new AppError('method_not_allowed')
      },
    })
  }
}

/** Every body as the bytes that arrived, whatever its content type says. */
function readRawBodies(app: FastifyInstance, { maxBodyBytes, queueMaxBytes }: Config): void {
  const budget = new BodyBudget(queueMaxBytes)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (request: FastifyRequest) =>
    collectBody(request.raw, { maxBytes: maxBodyBytes, budget }),
  )
  app.addHook('onRequest', (request, _reply, done) => {
    // A content type that can't be parsed would be refused before the parser above is asked. Not
    // deleted: every later look at an object that has lost a property is slower.
    if (request.headers['content-type'] !== undefined) {
      request.raw.headers['content-type'] = undefined
    }
    done()
  })
}
