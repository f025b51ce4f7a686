// GET /intakes/{id} and its raw body: what was sent, byte for byte, until it expires.
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { AppError } from '../../errors.ts'
import type { SequenceReader } from '../../store/store.ts'
import { answered, ERRORS, READ_ERRORS } from '../api-types.ts'
import { IntakeBody, IntakeParams } from '../event-types.ts'
import { isoOf } from '../present.ts'

const INTAKE_ERRORS = { ...READ_ERRORS, 404: answered('intake_not_found'), 422: ERRORS[422] }

/** Adds the routes to `app`. */
export function intakeRoutes(
  app: FastifyInstance,
  store: Pick<SequenceReader, 'intake' | 'rawBody'>,
): void {
  tellFacts(app, store)
  sendRawBody(app, store)
}

function tellFacts(app: FastifyInstance, store: Pick<SequenceReader, 'intake'>): void {
  app.get<{ Params: IntakeParams }>(
    '/intakes/:id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read what is known of an accepted request',
        tags: ['events'],
        params: IntakeParams,
        response: { 200: IntakeBody, ...INTAKE_ERRORS },
      },
    },
    async ({ params }) => {
      const intake = await store.intake(params.id)
      if (intake === null) throw new AppError('intake_not_found')
      const { receivedAt, ...facts } = intake
      return { ...facts, received_at: isoOf(receivedAt) }
    },
  )
}

function sendRawBody(app: FastifyInstance, store: Pick<SequenceReader, 'rawBody'>): void {
  app.get<{ Params: IntakeParams }>(
    '/intakes/:id/raw',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read the body of an accepted request, byte for byte',
        tags: ['events'],
        params: IntakeParams,
        response: {
          200: {
            description: 'The body.',
            content: {
              'application/octet-stream': {
                schema: Type.String({ format: 'binary' }),
                example: '{}',
              },
            },
          },
          ...INTAKE_ERRORS,
        },
      },
    },
    async ({ params }, reply) => {
      const body = await store.rawBody(params.id)
      if (body === null) throw new AppError('intake_not_found')
      // Never shown as a page: whoever could sign a body could also put a script in it.
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="intake-${params.id}"`)
        .send(Buffer.from(body))
    },
  )
}
