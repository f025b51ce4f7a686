// GET /health/live and GET /health/ready.
import type { FastifyInstance } from 'fastify'
import { ERRORS, LiveBody, NotReady, ReadyBody, SHUTTING_DOWN } from '../api-types.ts'
import type { Readiness } from '../readiness.ts'

export type HealthDeps = { readonly readiness: Readiness; readonly hasSecret: boolean }

/** Adds both routes to `app`. */
export function healthRoutes(app: FastifyInstance, { readiness, hasSecret }: HealthDeps): void {
  app.get(
    '/health/live',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Is the process alive?',
        tags: ['health'],
        security: [],
        response: { 200: LiveBody, 400: ERRORS[400], 503: SHUTTING_DOWN },
      },
    },
    async () => ({ status: 'ok' as const }),
  )
  app.get(
    '/health/ready',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Can it take in messages?',
        description:
          'Only when the database commits, its schema is current and some provider has a secret.',
        tags: ['health'],
        security: [],
        response: { 200: ReadyBody, 400: ERRORS[400], 503: NotReady },
      },
    },
    async (_request, reply) => {
      const database = (await readiness.check()) ? 'ok' : 'failed'
      const secret = hasSecret ? 'ok' : 'not configured'
      const ready = database === 'ok' && hasSecret
      return reply.code(ready ? 200 : 503).send({
        status: ready ? 'ok' : 'not ready',
        checks: { database, webhook_secret: secret },
      })
    },
  )
}
