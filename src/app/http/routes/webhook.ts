// POST /webhook and its kin: signature, body, commit, and only then the answer.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import type { IncomingEvent, Intake } from '../../model/event.ts'
import type { InsertOutcome } from '../../model/message.ts'
import type { WriteQueue } from '../../queue/write-queue.ts'
import type { Activity } from '../../receive/activity.ts'
import { causeInHeaders } from '../../receive/diagnose.ts'
import { META_SIGNATURE } from '../../receive/meta.ts'
import { isForgedProbe, isProbe } from '../../receive/probe.ts'
import type { Headers, Provider } from '../../receive/provider.ts'
import type { Quarantine } from '../../receive/quarantine.ts'
import {
  Accepted,
  CloudApiBody,
  CloudApiHeaders,
  WEBHOOK_ERRORS,
  WebhookBody,
  WebhookHeaders,
} from '../api-types.ts'
import { loggable } from '../loggable.ts'

export type WebhookDeps = {
  readonly providers: { readonly flat: Provider; readonly cloudApi: Provider }
  readonly queue: WriteQueue<Intake, readonly InsertOutcome[]>
  readonly quarantine: Quarantine
  readonly activity: Activity
  readonly metrics: Metrics
  readonly log: Log
}

const MAX_HEADER_LENGTH = 256

const SCHEMA = {
  summary: 'Take in one signed message',
  description:
    'Answers 200 once the message is stored durably, also when it was stored before: sending it again is always safe. After a 503, a time-out or a lost connection, do so. A request with X-Hub-Signature-256 is taken as one for /webhook/cloud-api.',
  tags: ['webhook'],
  security: [],
  headers: WebhookHeaders,
  body: WebhookBody,
  response: { 200: Accepted, ...WEBHOOK_ERRORS },
}

const CLOUD_API_SCHEMA = {
  summary: "Take in a batch of Meta's WhatsApp Cloud API",
  description:
    'Once the signature holds, whatever the body is, it is stored durably and answered 200: what was stored before is not stored again, and what is unknown is kept as it is.',
  tags: ['webhook'],
  security: [],
  headers: CloudApiHeaders,
  body: CloudApiBody,
  response: { 200: Accepted, ...WEBHOOK_ERRORS },
}

/** Adds the routes to `app`. */
export function webhookRoutes(app: FastifyInstance, deps: WebhookDeps): void {
  const { flat, cloudApi } = deps.providers
  const either = (headers: Headers) => (headers[META_SIGNATURE] === undefined ? flat : cloudApi)
  addRoute(app, { url: '/webhook', schema: SCHEMA, providerOf: either }, deps)
  const only = { url: '/webhook/cloud-api', schema: CLOUD_API_SCHEMA, providerOf: () => cloudApi }
  addRoute(app, only, deps)
}

type Route = {
  readonly url: string
  readonly schema: object
  readonly providerOf: (headers: Headers) => Provider
}

function addRoute(app: FastifyInstance, { url, schema, providerOf }: Route, deps: WebhookDeps) {
  app.post(
    url,
    {
      config: { access: 'public' },
      schema,
      onRequest: (request, _reply, done) => {
        request.webhook = {}
        done(refusal(providerOf(request.headers), deps) ?? undefined)
      },
    },
    (request, reply) => receive(request, reply, providerOf(request.headers), deps),
  )
}

/** Why nothing can be taken in now, known before a byte of the body is read. */
function refusal({ configured }: Provider, { queue }: WebhookDeps): AppError | null {
  if (!configured) return new AppError('no_secret')
  return queue.isFullFor(0) ? new AppError('overloaded') : null
}

async function receive(
  request: FastifyRequest,
  reply: FastifyReply,
  provider: Provider,
  deps: WebhookDeps,
) {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const receivedAt = Date.now()
  authenticate(request, { body, receivedAt, provider }, deps)
  const events = provider.parse(body, receivedAt)
  const headers = headersThatMatter(request.headers)
  const intake = { provider: provider.name, body, headers, receivedAt, events }
  const outcomes = await deps.queue.add(intake)
  report(request, intake, outcomes, deps)
  // It was stored, but too late: its sender was told to send it again.
  if (reply.sent) return reply
  if (!isProbe(body)) deps.activity.accepted(provider.name, receivedAt)
  return reply.send({ status: 'ok' })
}

type Arrived = { readonly body: Buffer; readonly receivedAt: number; readonly provider: Provider }

function authenticate(request: FastifyRequest, arrived: Arrived, deps: WebhookDeps): void {
  const { headers } = request
  const { body, provider } = arrived
  if (!provider.authenticate(body, headers)) {
    if (!isForgedProbe(body, headers[provider.signatureHeader])) noteRefusal(request, arrived, deps)
    request.webhook = { cause: causeInHeaders(headers, provider) ?? undefined }
    throw new AppError('invalid_signature')
  }
  if (isEncoded(headers)) throw new AppError('encoded_body')
}

function noteRefusal(
  { headers, routeOptions }: FastifyRequest,
  { body, receivedAt, provider }: Arrived,
  { activity, quarantine }: WebhookDeps,
): void {
  activity.rejected(provider.name, receivedAt)
  quarantine.add({ path: routeOptions.url ?? '', provider, headers, body, receivedAt })
}

/** The name of a coding has no case, and an empty list names none (RFC 9110, section 8.4). */
function isEncoded({ 'content-encoding': encoding = '' }: Headers): boolean {
  return encoding !== '' && String(encoding).toLowerCase() !== 'identity'
}

function headersThatMatter({ 'user-agent': agent }: Headers): Record<string, string> {
  if (typeof agent !== 'string') return {}
  return { 'user-agent': agent.slice(0, MAX_HEADER_LENGTH) }
}

/** What became of the events, for the log and the metrics. */
function report(
  request: FastifyRequest,
  intake: Intake,
  outcomes: readonly InsertOutcome[],
  { metrics, log }: WebhookDeps,
): void {
  let created = 0
  intake.events.forEach((event, i) => {
    const outcome = outcomes[i]
    if (outcome === undefined) return
    metrics.webhookEvents.inc({ kind: event.kind, result: outcome.kind })
    if (outcome.kind === 'conflict') reportConflict(request, event, outcome, { metrics, log })
    if (outcome.kind !== 'created') return
    created++
    metrics.eventLag.observe(lagSeconds(event, intake.receivedAt))
  })
  const [first] = intake.events
  const single = intake.events.length === 1 && first?.kind === 'message'
  request.webhook = {
    ...(single ? { messageId: first.messageId } : { events: intake.events.length, created }),
    duplicate: created === 0,
    result: created === 0 ? 'duplicate' : 'created',
  }
}

/** From an event to its arrival; clocks differ, so what comes from the future is on time. */
function lagSeconds({ instant }: IncomingEvent, receivedAt: number): number {
  return Math.max(0, (receivedAt - Date.parse(`${instant}Z`)) / 1000)
}

function reportConflict(
  request: FastifyRequest,
  event: IncomingEvent,
  { storedSha256, receivedSha256 }: InsertOutcome & { kind: 'conflict' },
  { metrics, log }: Pick<WebhookDeps, 'metrics' | 'log'>,
): void {
  metrics.conflicts.inc()
  log.warn(
    {
      request_id: request.id,
      message_id: event.kind === 'message' ? loggable(event.messageId) : undefined,
      stored_sha256: storedSha256,
      received_sha256: receivedSha256,
    },
    'a duplicate differs from the stored message; the first one stays',
  )
}
