// Statistics, from counters and the two ends of the list: they cost the same however much is stored.
import type { Order, Stats } from '../../model/message.ts'
import { DAYS, firstTimestampSql, TYPES } from '../sql/statistics.ts'
import type { Snapshot } from './snapshot.ts'

/** The counters in the state of the database that `snapshot` sees. */
export function readStats(snapshot: Snapshot): Stats {
  const [totals] = snapshot.all<{ messages: number; senders: number }>(
    'select messages, senders from totals',
    [],
  )
  const topSenders = snapshot.all<{ from: string; count: number }>(
    'select sender as "from", messages as count from busiest_senders order by messages desc, sender',
    [],
  )
  const firstTimestamp = (order: Order) =>
    snapshot.all<{ ts: string }>(firstTimestampSql(order), [])[0]?.ts ?? null
  return {
    totalMessages: totals?.messages ?? 0,
    sendersCount: totals?.senders ?? 0,
    topSenders,
    firstMessageTs: firstTimestamp('asc'),
    lastMessageTs: firstTimestamp('desc'),
    messagesByType: readCounts(snapshot, 'type'),
    messagesByDay: readCounts(snapshot, 'day', DAYS),
    messagesByStatus: readCounts(snapshot, 'status'),
    eventsByKind: readCounts(snapshot, 'kind'),
  }
}

/** Types come from outside: a name such as __proto__ must stay a name. */
function readCounts(snapshot: Snapshot, counter: string, limit = TYPES): Record<string, number> {
  const rows = snapshot.all<{ key: string; count: number }>(
    'select key, count from counts where counter = ? order by key desc limit ?',
    [counter, limit],
  )
  return Object.fromEntries(rows.reverse().map(({ key, count }) => [key, count]))
}
