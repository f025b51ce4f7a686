// Statistics, from counters and the two ends of the list: they cost the same however much is stored.
import type { Order, Stats } from '../../model/message.ts'
import { DAYS, firstTimestampSql, TOP_SENDERS, TYPES } from '../sql/statistics.ts'
import { busiestSenders, countOf, countSenders, countsBy } from './counters.ts'
import type { Snapshot } from './snapshot.ts'

/** The counters in the state of the database that `snapshot` sees. */
export async function readStats(snapshot: Snapshot): Promise<Stats> {
  return {
    totalMessages: await countOf(snapshot, 'kind', 'message'),
    sendersCount: await countSenders(snapshot),
    topSenders: await busiestSenders(snapshot, TOP_SENDERS),
    firstMessageTs: await firstTimestamp(snapshot, 'asc'),
    lastMessageTs: await firstTimestamp(snapshot, 'desc'),
    messagesByType: await countsBy(snapshot, 'type', TYPES),
    messagesByDay: await countsBy(snapshot, 'day', DAYS),
    messagesByStatus: await countsBy(snapshot, 'status', TYPES),
    eventsByKind: await countsBy(snapshot, 'kind', TYPES),
  }
}

async function firstTimestamp(snapshot: Snapshot, order: Order): Promise<string | null> {
  const [row] = await snapshot.all<{ ts: string }>(firstTimestampSql(order), [])
  return row?.ts ?? null
}
