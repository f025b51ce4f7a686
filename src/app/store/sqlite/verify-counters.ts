// The counters that statistics are answered from, against a count of the messages.
import type { DatabaseSync } from 'node:sqlite'
import type { Report } from './verify-findings.ts'

export type Totals = {
  readonly lastSeq: number
  readonly messages: number
  readonly senders: number
}

/** The one row of totals; null, and a finding, where it is not there. */
export function readTotals(database: DatabaseSync, report: Report): Totals | null {
  const totals = database
    .prepare('select last_seq as lastSeq, messages, senders from totals where id = 1')
    .get() as Totals | undefined
  if (totals === undefined) report('totals: the row is missing.')
  return totals ?? null
}

type SenderCount = { sender: string; counted: number | null; stored: number | null }

/** Counts everything again; returns how many senders there are. */
export function checkCounters(
  database: DatabaseSync,
  { totals, report }: { totals: Totals | null; report: Report },
): number {
  // From the table itself: an index may have lost what the table still has.
  const differing = database.prepare(`
    select coalesce(counts.sender, senders.sender) as sender, counted, messages as stored
    from (select sender, count(*) as counted from messages not indexed group by sender) as counts
    full join senders on senders.sender = counts.sender
    where counted is not messages`)
  for (const { sender, counted, stored } of differing.iterate() as Iterable<SenderCount>) {
    const says = stored === null ? 'has no counter' : `the counter says ${stored}`
    report(`sender ${JSON.stringify(sender)}: sent ${counted ?? 0} of the messages, and ${says}.`)
  }
  const counted = database
    .prepare(
      'select count(*) as messages, count(distinct sender) as senders from messages not indexed',
    )
    .get() as Pick<Totals, 'messages' | 'senders'>
  for (const name of ['messages', 'senders'] as const) {
    if (totals === null || totals[name] === counted[name]) continue
    report(`totals: ${name} is ${totals[name]}, and there are ${counted[name]}.`)
  }
  return counted.senders
}
