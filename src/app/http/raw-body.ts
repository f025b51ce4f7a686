// Collects a request's body as the bytes that arrived, within bounds that hold before anything is
// known about the sender.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'
import { BodyBudget, BodyShare } from './body-budget.ts'
import { BodyParts } from './body-parts.ts'

/** Every body as the bytes that arrived, whatever its content type says. */
export function readRawBodies(
  app: FastifyInstance,
  { maxBodyBytes, queueMaxBytes }: Pick<Config, 'maxBodyBytes' | 'queueMaxBytes'>,
): void {
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

export type BodyLimits = {
  /** The largest body, in bytes. */
  readonly maxBytes: number
  readonly budget: BodyBudget
}

/**
 * The whole body. Rejects with AppError `body_too_large`, or `overloaded` when large bodies already
 * hold all the memory they may, or others need what this slow one holds. Bytes of the budget go back
 * once the request is closed.
 */
export function collectBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > limits.maxBytes) return Promise.reject(new AppError('body_too_large'))
  return new ArrivingBody(request, limits).whole
}

/** A body that arrives part by part. */
class ArrivingBody {
  readonly #request: IncomingMessage
  readonly #maxBytes: number
  readonly #share: BodyShare
  readonly #parts = new BodyParts()
  readonly #outcome = Promise.withResolvers<Buffer>()
  readonly #collect = (part: Buffer) => this.#take(part)
  #received = 0
  #isWhole = false

  constructor(request: IncomingMessage, { maxBytes, budget }: BodyLimits) {
    this.#request = request
    this.#maxBytes = maxBytes
    this.#share = new BodyShare(budget, () => this.#refuse(new AppError('overloaded')))
    request.on('data', this.#collect)
    request.once('end', () => this.#finish())
    // The sender went away, so nobody reads this answer; a reset is no fault of the service.
    request.once('error', () => this.#outcome.reject(new AppError('bad_request')))
    request.once('close', () => this.#close())
  }

  get whole(): Promise<Buffer> {
    return this.#outcome.promise
  }

  #take(part: Buffer): void {
    this.#received += part.length
    if (this.#received > this.#maxBytes) this.#refuse(new AppError('body_too_large'))
    else if (!this.#share.growTo(this.#received)) this.#refuse(new AppError('overloaded'))
    else this.#parts.add(part)
  }

  /** What is still to come is read and dropped: a stream flows on when its last listener leaves. */
  #refuse(error: AppError): void {
    this.#request.off('data', this.#collect)
    this.#parts.clear()
    this.#share.release()
    this.#outcome.reject(error)
  }

  #finish(): void {
    this.#isWhole = true
    this.#share.hasArrived()
    this.#outcome.resolve(this.#parts.whole())
    // What the request goes on to hold is its body, and not its parts beside it.
    this.#parts.clear()
  }

  #close(): void {
    this.#share.release()
    if (!this.#isWhole) this.#outcome.reject(new AppError('bad_request'))
  }
}
