// Counters as a reader sees them: what was folded, and the changes appended since.
import type { Snapshot } from './snapshot.ts'

export type CounterName = 'type' | 'day' | 'sender' | 'status' | 'kind'

const COUNTED = `(
  select counter, key, count from counts
  union all select counter, key, change from count_changes) as counted`

/** One counter; 0 where nothing was counted. */
export function countOf(snapshot: Snapshot, counter: CounterName, key: string): Promise<number> {
  return snapshot.number(`select sum(count) from ${COUNTED} where counter = ? and key = ?`, [
    counter,
    key,
  ])
}

/**
 * The last `limit` keys of a counter with their counts, in the order of the keys. They come from
 * outside: a name such as __proto__ must stay a name.
 */
export async function countsBy(
  snapshot: Snapshot,
  counter: CounterName,
  limit: number,
): Promise<Record<string, number>> {
  const rows = await snapshot.all<{ key: string; count: number }>(
    `select key, sum(count)::bigint as count from ${COUNTED} where counter = ?
     group by key having sum(count) <> 0 order by key desc limit ?`,
    [counter, limit],
  )
  return Object.fromEntries(rows.reverse().map(({ key, count }) => [key, count]))
}

/** How many senders there are. */
export function countSenders(snapshot: Snapshot): Promise<number> {
  return snapshot.number(
    `select coalesce((select count from counts where counter = 'senders' and key = ''), 0) + (
       select count(distinct key) from count_changes as changes
       where counter = 'sender' and not exists (
         select 1 from counts where counts.counter = 'sender' and counts.key = changes.key))`,
    [],
  )
}

/** The busiest senders: they are among the folded busiest and those that were busy since. */
export function busiestSenders(
  snapshot: Snapshot,
  limit: number,
): Promise<{ from: string; count: number }[]> {
  return snapshot.all(
    `with busiest as (
       (select key from counts where counter = 'sender' order by count desc, key limit ?)
       union select key from count_changes where counter = 'sender')
     select key as "from", sum(count)::bigint as count
     from busiest join ${COUNTED} using (key) where counter = 'sender'
     group by key order by 2 desc, key limit ?`,
    [limit, limit],
  )
}
