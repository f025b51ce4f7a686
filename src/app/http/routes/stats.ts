// GET /stats.
import type { FastifyInstance } from 'fastify'
import type { MessageStore } from '../../store/store.ts'
import { READ_ERRORS } from '../api-types.ts'
import { StatsBody } from '../summary-types.ts'

/** Adds the route to `app`. */
export function statsRoute(app: FastifyInstance, store: Pick<MessageStore, 'stats'>): void {
  app.get(
    '/stats',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Count messages',
        description: 'From counters that are kept with every commit; nothing is scanned.',
        tags: ['messages'],
        response: { 200: StatsBody, ...READ_ERRORS },
      },
    },
    async () => {
      const stats = await store.stats()
      return {
        total_messages: stats.totalMessages,
        senders_count: stats.sendersCount,
        messages_per_sender: stats.topSenders,
        first_message_ts: stats.firstMessageTs,
        last_message_ts: stats.lastMessageTs,
        messages_by_type: stats.messagesByType,
        messages_by_day: stats.messagesByDay,
        messages_by_status: stats.messagesByStatus,
        events_by_kind: stats.eventsByKind,
      }
    },
  )
}
