// One log line and one count for every request that was answered.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../log.ts'
import type { Metrics, WebhookResult } from '../metrics/metrics.ts'
import type { Cause } from '../receive/advice.ts'
import { loggable, loggablePath } from './loggable.ts'
import { Sampler } from './sampler.ts'

/** What a webhook request has to say about itself in the log and the metrics. */
type WebhookFacts = {
  messageId?: string
  /** Of a batch: how many events, and how many of them were new. */
  events?: number
  created?: number
  duplicate?: boolean
  result?: WebhookResult
  /** Of a refused signature, where its headers tell it. */
  cause?: Cause | undefined
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on webhook routes only. */
    webhook?: WebhookFacts | null
  }
}

const SANE_REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/
const MAX_PATH_LENGTH = 512
/** The pattern of every path that is no route. */
const UNMATCHED = 'unmatched'
/** Requests of a kind that anybody can send, logged per second; a flood of them is only counted. */
const KIND_PER_SECOND = 10
const INVALID = 401
const NOT_NOW = 503
/** The answer to what was signed or came with a key, and is not valid. */
const UNFIT = 422
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

const processId = randomBytes(6).toString('hex')
let requests = 0

/** The sender's `X-Request-ID` where it is a sane one, else an id of our own. */
export function requestId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  if (typeof given === 'string' && SANE_REQUEST_ID.test(given)) return given
  return `${processId}-${(++requests).toString(36)}`
}

/** Logs and counts one answer. */
export type Observe = (request: FastifyRequest, reply: FastifyReply) => void

/**
 * Counts every answer and logs it, but of those that anybody can get (4xx without 422, 503, and public
 * pages) it logs ten a second of each status. Of a path that is none of `routes` it logs the parts they
 * share.
 */
export function observer(
  log: Log,
  metrics: Metrics,
  routes: ReadonlyMap<string, unknown>,
): Observe {
  const samplers = new Map<number, Sampler>()
  let parts: ReadonlySet<string> | null = null
  return (request, reply) => {
    const result = request.webhook ? resultOf(request.webhook, reply) : undefined
    count(metrics, request, reply, result)
    const suppressed = isForAnybody(request, reply) ? samplerOf(samplers, reply).pass() : 0
    if (suppressed === null) return
    parts ??= new Set([...routes.keys()].flatMap((url) => url.split('/')))
    const entry = entryFor(request, reply, { result, path: pathOf(request, parts) })
    log[levelOf(reply.statusCode, result)](suppressed > 0 ? { ...entry, suppressed } : entry)
  }
}

/** Whether neither a key nor a signature may have been needed for this answer. */
function isForAnybody({ routeOptions, method }: FastifyRequest, { statusCode }: FastifyReply) {
  if (statusCode >= 400) return (statusCode < 500 && statusCode !== UNFIT) || statusCode === NOT_NOW
  const isRead = method === 'GET' || method === 'HEAD'
  return isRead && routeOptions?.config?.access === 'public'
}

function samplerOf(samplers: Map<number, Sampler>, { statusCode }: FastifyReply): Sampler {
  const sampler = samplers.get(statusCode) ?? new Sampler(KIND_PER_SECOND)
  samplers.set(statusCode, sampler)
  return sampler
}

/** Observes every answer of `app`. */
export function observeRequests(app: FastifyInstance, observe: Observe): void {
  app.decorateRequest('webhook', null)
  app.addHook('onResponse', (request, reply, done) => {
    observe(request, reply)
    done()
  })
}

type Told = { readonly result: WebhookResult | undefined; readonly path: string }

function entryFor(request: FastifyRequest, reply: FastifyReply, { result, path }: Told) {
  const entry = {
    request_id: request.id,
    method: request.method,
    path,
    status: reply.statusCode,
    latency_ms: Math.round(reply.elapsedTime * 100) / 100,
  }
  if (!request.webhook) return entry
  const { messageId, events, created, duplicate, cause } = request.webhook
  const message_id = messageId === undefined ? undefined : loggable(messageId)
  return { ...entry, message_id, events, created, dup: duplicate, result, cause }
}

/** Without what may name people, texts and keys: the query, a fragment, an authority, a number. */
function pathOf(request: FastifyRequest, parts: ReadonlySet<string>): string {
  const { url } = request
  if (!url.startsWith('/')) return '(no path)'
  const pattern = routePattern(request)
  if (pattern.includes('{contact}')) return pattern
  const end = url.search(/[?#]/)
  const path = end === -1 ? url : url.slice(0, end)
  if (pattern === UNMATCHED) return loggablePath(path, parts)
  return loggable(path).slice(0, MAX_PATH_LENGTH)
}

function levelOf(status: number, result: WebhookResult | undefined): 'info' | 'warn' | 'error' {
  if (result === 'invalid_signature') return 'error'
  if (status === NOT_NOW) return 'warn'
  return status >= 500 ? 'error' : 'info'
}

function resultOf(facts: WebhookFacts, { statusCode }: FastifyReply): WebhookResult {
  if (facts.result !== undefined) return facts.result
  if (statusCode === INVALID) return 'invalid_signature'
  return statusCode === UNFIT || statusCode === 415 ? 'validation_error' : 'rejected'
}

function count(
  { httpRequests, httpSeconds, webhookRequests }: Metrics,
  request: FastifyRequest,
  reply: FastifyReply,
  result: WebhookResult | undefined,
): void {
  const method = METHODS.has(request.method) ? request.method : 'other'
  const path = routePattern(request)
  httpRequests.inc({ method, path, status: String(reply.statusCode) })
  httpSeconds.observe({ method, path }, reply.elapsedTime / 1000)
  if (result !== undefined) webhookRequests.inc({ result })
}

/** `/messages/{message_id}`, whatever the id; one value for every path that is no route. */
function routePattern(request: FastifyRequest): string {
  const pattern = request.is404 ? undefined : request.routeOptions.url
  return pattern?.replace(/:(\w+)/g, '{$1}') ?? UNMATCHED
}
