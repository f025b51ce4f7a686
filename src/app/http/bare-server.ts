// The server before it has any route: the limits of Node.js and of the framework.
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Config } from '../config.ts'
import { answerClientError } from './framing.ts'
import { requestId } from './request-log.ts'

const MAX_HEADER_BYTES = 16 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const TIMEOUT_CHECK_MS = 1000

export type BareServerOptions = {
  /** How long nothing may move on a connection. */
  readonly stalledMs: number
  /** Answers a request whose path can't be decoded: no hook runs for it. */
  readonly onPathError: NonNullable<FastifyServerOptions['frameworkErrors']>
}

/** A server that answers nothing yet but what is no request. */
export function bareServer(
  { maxBodyBytes, maxConnections }: Pick<Config, 'maxBodyBytes' | 'maxConnections'>,
  { stalledMs, onPathError }: BareServerOptions,
): FastifyInstance {
  const app = Fastify({
    logger: false,
    genReqId: requestId,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: stalledMs,
    bodyLimit: maxBodyBytes,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => answerClientError(error, socket),
    frameworkErrors: onPathError,
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
  app.server.maxConnections = maxConnections
  // An expectation nobody knows may be ignored; Node itself would answer without a body.
  app.server.on('checkExpectation', (request, response) => {
    app.server.emit('request', request, response)
  })
  return app
}
