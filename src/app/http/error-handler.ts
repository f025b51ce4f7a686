// Where errors become answers: `{"detail": …}`, as the first clients know it. Only what Node's parser
// refuses, before there is a request, is answered in framing.ts.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, type ErrorCode, isOfTheStore, ValidationError } from '../errors.ts'
import type { Log } from '../log.ts'
import { OutageLog } from '../outage-log.ts'

/** Errors that Fastify itself finds, as ours. */
const FRAMEWORK_ERRORS: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_BAD_URL: 'bad_url',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad_request',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'bad_request',
}

/** Answers errors and unknown paths on every route of `app`, and logs why something was not possible. */
export function answerErrors(app: FastifyInstance, log: Log): void {
  const causes = new OutageLog(log)
  app.setErrorHandler((error, request, reply) => {
    const known = asAppError(error)
    if (known?.cause !== undefined) {
      causes.failed(known.code, known.cause, { request_id: request.id })
    }
    return answer(known ?? error, request, reply, log)
  })
  app.setNotFoundHandler((request, reply) => answer(new AppError('not_found'), request, reply, log))
}

/** Sends what `error` means to the caller, and logs what nobody has foreseen. */
export function answer(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log) {
  // Nobody reads the rest of its body, which would be kept part by part until this answer is sent.
  request.raw.resume()
  if (error instanceof ValidationError) return reply.code(422).send({ detail: error.problems })
  const known = asAppError(error)
  if (known === null) {
    log.error({ request_id: request.id, err: error }, 'unexpected error')
    return reply.code(500).send({ detail: 'Internal Server Error' })
  }
  if (known.retryAfterS !== undefined) reply.header('retry-after', known.retryAfterS)
  if (known.code === 'unauthorized') reply.header('www-authenticate', 'Bearer')
  if (known.status === 400) reply.header('connection', 'close')
  return reply.code(known.status).send({ detail: known.detail })
}

function asAppError(error: unknown): AppError | null {
  if (error instanceof AppError) return error
  if (isOfTheStore(error)) return new AppError('store_unavailable', { cause: error })
  const code =
    error instanceof Error && 'code' in error ? FRAMEWORK_ERRORS[String(error.code)] : undefined
  return code === undefined ? null : new AppError(code)
}
