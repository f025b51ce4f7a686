// GET /metrics.
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Metrics } from '../../metrics/metrics.ts'
import { READ_ERRORS } from '../api-types.ts'

const EXAMPLE = 'webhook_requests_total{result="created"} 3\n'

/** Adds the route to `app`. */
export function metricsRoute(app: FastifyInstance, metrics: Metrics): void {
  app.get(
    '/metrics',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Metrics for Prometheus',
        tags: ['operation'],
        response: {
          200: {
            description: "Prometheus' text format.",
            content: { 'text/plain': { schema: Type.String(), example: EXAMPLE } },
          },
          ...READ_ERRORS,
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.expose()),
  )
}
