// POST /webhook: signature, body, commit, and only then the answer.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import type { IncomingMessage, InsertOutcome } from '../../model/message.ts'
import type { WriteQueue } from '../../queue/write-queue.ts'
import { parseFlatMessage } from '../../receive/flat.ts'
import { type SigningKeys, verifySignature } from '../../receive/verify.ts'
import { Accepted, WEBHOOK_ERRORS, WebhookBody, WebhookHeaders } from '../api-types.ts'

export type WebhookDeps = {
  readonly keys: SigningKeys
  readonly queue: WriteQueue<IncomingMessage, InsertOutcome>
  readonly metrics: Metrics
  readonly log: Log
}

const SCHEMA = {
  summary: 'Take in one signed message',
  description:
    'Answers 200 once the message is stored durably, also when it was stored before: sending it again is always safe. After a 503, a time-out or a lost connection, do so.',
  tags: ['webhook'],
  security: [],
  headers: WebhookHeaders,
  body: WebhookBody,
  response: { 200: Accepted, ...WEBHOOK_ERRORS },
}

/** Adds the route to `app`. */
export function webhookRoute(app: FastifyInstance, deps: WebhookDeps): void {
  app.post(
    '/webhook',
    {
      config: { access: 'public' },
      schema: SCHEMA,
      onRequest: (request, _reply, done) => {
        request.webhook = {}
        done(refusal(deps) ?? undefined)
      },
    },
    (request, reply) => receive(request, reply, deps),
  )
}

/** Why nothing can be taken in now, known before a byte of the body is read. */
function refusal({ keys, queue }: WebhookDeps): AppError | null {
  if (keys.length === 0) return new AppError('no_secret')
  return queue.isFullFor(0) ? new AppError('overloaded') : null
}

async function receive(request: FastifyRequest, reply: FastifyReply, deps: WebhookDeps) {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const { headers } = request
  if (!verifySignature(deps.keys, body, headers['x-signature'])) {
    throw new AppError('invalid_signature')
  }
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    throw new AppError('encoded_body')
  }
  const message = parseFlatMessage(body)
  const outcome = await deps.queue.add(message)
  const duplicate = outcome.kind !== 'created'
  request.webhook = {
    messageId: message.messageId,
    duplicate,
    result: duplicate ? 'duplicate' : 'created',
  }
  if (outcome.kind === 'conflict') reportConflict(request, message, outcome, deps)
  return reply.send({ status: 'ok' })
}

function reportConflict(
  request: FastifyRequest,
  { messageId }: IncomingMessage,
  { storedSha256, receivedSha256 }: InsertOutcome & { kind: 'conflict' },
  { metrics, log }: WebhookDeps,
): void {
  metrics.conflicts.inc()
  log.warn(
    {
      request_id: request.id,
      message_id: messageId,
      stored_sha256: storedSha256,
      received_sha256: receivedSha256,
    },
    'a duplicate differs from the stored message; the first one stays',
  )
}
