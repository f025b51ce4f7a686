// Statistics, from counters and the two ends of the list: they cost the same however much is stored.
import type { Stats } from '../../model/message.ts'
import { DAYS, TOP_SENDERS, TYPES } from '../sql/statistics.ts'
import { busiestSenders, countOf, countSenders, countsBy } from './counters.ts'
import type { Snapshot } from './snapshot.ts'

/** The counters in the state of the database that `snapshot` sees. */
export async function readStats(snapshot: Snapshot): Promise<Stats> {
  return {
    totalMessages: await countOf(snapshot, 'kind', 'message'),
    sendersCount: await countSenders(snapshot),
    topSenders: await busiestSenders(snapshot, TOP_SENDERS),
    firstMessageTs: await timestampAt(snapshot, 'asc'),
    lastMessageTs: await timestampAt(snapshot, 'desc'),
    messagesByType: await countsBy(snapshot, 'type', TYPES),
    messagesByDay: await countsBy(snapshot, 'day', DAYS),
    messagesByStatus: await countsBy(snapshot, 'status', TYPES),
    eventsByKind: await countsBy(snapshot, 'kind', TYPES),
  }
}

async function timestampAt(snapshot: Snapshot, order: 'asc' | 'desc'): Promise<string | null> {
  const [row] = await snapshot.all<{ ts: string }>(
    `select ts from messages order by instant ${order}, message_id ${order}, seq ${order} limit 1`,
    [],
  )
  return row?.ts ?? null
}
