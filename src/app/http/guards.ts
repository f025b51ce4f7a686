// What every request passes before its route sees it, and every answer before it is sent.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import type { ApiKey } from '../config-values.ts'
import { AppError } from '../errors.ts'
import type { StreamHub } from '../stream/hub.ts'
import { readAccess } from './access.ts'
import { isAmbiguous, requestBegins, requestEnds } from './framing.ts'
import { FREE_BYTES, type Unsent } from './unsent.ts'

/** What every answer carries. */
export function setHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id)
  reply.header('x-content-type-options', 'nosniff')
  reply.header('cache-control', 'no-store')
}

/** Lets go of everybody who waits for a commit when `app` closes; returns whether it does. */
export function endsWaiting(app: FastifyInstance, hub: StreamHub): () => boolean {
  let closing = false
  app.addHook('preClose', (done) => {
    closing = true
    hub.close()
    done()
  })
  return () => closing
}

export type Guards = {
  readonly readAccess: Config['readAccess']
  readonly apiKeys: readonly ApiKey[]
  readonly isClosing: () => boolean
}

/** What every request passes before its route sees it. */
export function guardRequests(
  app: FastifyInstance,
  { readAccess: mode, apiKeys, isClosing }: Guards,
): void {
  const mayRead = readAccess({ mode, keys: apiKeys })
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) {
      throw new Error(`The route ${String(route.method)} ${route.url} does not declare its access.`)
    }
  })
  app.addHook('onRequest', (request, reply, done) => {
    requestBegins({ request: request.raw, response: reply.raw })
    setHeaders(request, reply)
    // Node reads nothing behind a request for another protocol: its sender has to see that.
    if (isClosing() || request.headers.upgrade !== undefined) reply.header('connection', 'close')
    if (isAmbiguous(request.raw)) return done(new AppError('ambiguous_request'))
    if (isClosing()) return done(new AppError('shutting_down'))
    if (request.is404 || request.routeOptions.config.access === 'public') return done()
    done(mayRead(request.raw) ? undefined : new AppError('unauthorized'))
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing()) reply.header('connection', 'close')
    done()
  })
  app.addHook('onResponse', (request, _reply, done) => {
    requestEnds(request.raw.socket)
    done()
  })
}

/** Refuses an answer that would wait in memory beside too many others. */
export function boundAnswers(app: FastifyInstance, unsent: Unsent): void {
  app.addHook<string | Buffer | null>('onSend', (_request, reply, payload, done) => {
    const bytes = payload === null ? 0 : Buffer.byteLength(payload)
    if (bytes <= FREE_BYTES) return done()
    const release = unsent.hold(bytes)
    if (release === null) return done(new AppError('reads_overloaded'))
    reply.raw.once('close', release)
    done()
  })
}
