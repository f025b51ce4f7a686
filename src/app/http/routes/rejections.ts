// GET /rejections and GET /providers: why nothing arrives.
import type { FastifyInstance } from 'fastify'
import type { Activity } from '../../receive/activity.ts'
import type { Provider } from '../../receive/provider.ts'
import type { Quarantine } from '../../receive/quarantine.ts'
import { READ_ERRORS } from '../api-types.ts'
import { ProviderList, RejectionList } from '../event-types.ts'
import { isoOf } from '../present.ts'

export type RejectionDeps = {
  readonly quarantine: Quarantine
  readonly activity: Activity
  readonly providers: readonly Provider[]
}

/** Adds the routes to `app`. */
export function rejectionRoutes(app: FastifyInstance, deps: RejectionDeps): void {
  listRejections(app, deps.quarantine)
  listProviders(app, deps)
}

function listRejections(app: FastifyInstance, quarantine: Quarantine): void {
  app.get(
    '/rejections',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List requests whose signature did not hold',
        description:
          'The latest ones, each with its likely cause. They are kept in memory only, and never become messages.',
        tags: ['operation'],
        response: { 200: RejectionList, ...READ_ERRORS },
      },
    },
    async () => ({
      data: quarantine.list().map(({ receivedAt, body, ...rejection }) => ({
        ...rejection,
        received_at: isoOf(receivedAt),
        body: body.toString('utf8'),
      })),
    }),
  )
}

function listProviders(app: FastifyInstance, { activity, providers }: RejectionDeps): void {
  app.get(
    '/providers',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List when something last arrived',
        tags: ['operation'],
        response: { 200: ProviderList, ...READ_ERRORS },
      },
    },
    async () => ({
      data: providers.map(({ name, configured }) => {
        const seen = activity.of(name)
        return {
          provider: name,
          configured,
          last_accepted_at: isoOrNull(seen.acceptedAt),
          last_rejected_at: isoOrNull(seen.rejectedAt),
          last_handshake_at: isoOrNull(seen.handshake?.at ?? null),
          last_handshake_ok: seen.handshake?.ok ?? null,
        }
      }),
    }),
  )
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : isoOf(ms)
}
