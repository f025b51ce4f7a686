// The counters that statistics are answered from, against a count of what is stored.
import type { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { TOP_SENDERS } from '../sql/statistics.ts'
import { StateCheck, type StatusRow } from '../verify/states.ts'
import type { Report } from '../verify/verification.ts'

export type StoredTotals = {
  readonly lastSeq: number
  /** The last number of an intake that was given. */
  readonly lastIntake: number
  readonly messages: number
  readonly senders: number
}

/** The one row of totals; null, and a finding, where it is not there. */
export function readTotals(database: DatabaseSync, report: Report): StoredTotals | null {
  const totals = database
    .prepare(
      `select last_seq as lastSeq, last_intake as lastIntake, messages, senders from totals
       where id = 1`,
    )
    .get() as StoredTotals | undefined
  if (totals === undefined) report('totals: the row is missing.')
  return totals ?? null
}

type Counted = { name: string; counted: number | null; stored: number | null }

/** Counts everything again; returns how many senders there are. */
export function checkCounters(
  database: DatabaseSync,
  { totals, report }: { totals: StoredTotals | null; report: Report },
): number {
  checkSenders(database, report)
  checkBusiest(database, report)
  checkCounts(database, report)
  checkContacts(database, report)
  checkStrangers(database, report)
  checkIntakes(database, { totals, report })
  checkStates(database, report)
  const counted = database
    .prepare(
      'select count(*) as messages, count(distinct sender) as senders from messages not indexed',
    )
    .get() as Pick<StoredTotals, 'messages' | 'senders'>
  for (const name of ['messages', 'senders'] as const) {
    if (totals === null || totals[name] === counted[name]) continue
    report(`totals: ${name} is ${totals[name]}, and there are ${counted[name]}.`)
  }
  return counted.senders
}

// From the tables themselves: an index may have lost what its table still has.
function checkSenders(database: DatabaseSync, report: Report): void {
  const differing = database.prepare(`
    select coalesce(counts.sender, senders.sender) as name, counted, messages as stored
    from (select sender, count(*) as counted from messages not indexed group by sender) as counts
    full join senders on senders.sender = counts.sender
    where counted is not messages`)
  for (const { name, counted, stored } of differing.iterate() as Iterable<Counted>) {
    const says = stored === null ? 'has no counter' : `the counter says ${stored}`
    report(`sender ${JSON.stringify(name)}: sent ${counted ?? 0} of the messages, and ${says}.`)
  }
}

function checkBusiest(database: DatabaseSync, report: Report): void {
  const counted = database
    .prepare(
      `select sender, count(*) as messages from messages not indexed group by sender
       order by messages desc, sender limit ${TOP_SENDERS}`,
    )
    .all()
  const stored = database
    .prepare('select sender, messages from busiest_senders order by messages desc, sender')
    .all()
  if (isDeepStrictEqual(counted, stored)) return
  report('busiest senders: the list is not that of the senders with the most messages.')
}

function checkCounts(database: DatabaseSync, report: Report): void {
  const differing = database.prepare(`
    with counted as (
      select 'type' as counter, type as key, count(*) as counted from messages not indexed group by 2
      union all
      select 'day', substr(instant, 1, 10), count(*) from messages not indexed group by 2
      union all
      select 'kind', 'message', count(*) from messages not indexed having count(*) > 0
      union all
      select 'kind', kind, count(*) from events not indexed group by 2
      union all
      select 'status', status, count(*) from message_states group by 2)
    select coalesce(counts.counter || ' ' || counts.key, counted.counter || ' ' || counted.key)
      as name, counted, count as stored
    from counted full join counts
      on counts.counter = counted.counter and counts.key = counted.key
    where counted is not count`)
  for (const { name, counted, stored } of differing.iterate() as Iterable<Counted>) {
    report(`counter ${name}: is ${stored ?? 0}, and there are ${counted ?? 0}.`)
  }
}

function checkContacts(database: DatabaseSync, report: Report): void {
  const strangers = database.prepare(`
    select id as name from contacts where not exists (
      select 1 from contact_addresses where address = key and contact = id)`)
  for (const { name } of strangers.iterate() as Iterable<Counted>) {
    report(`contact ${name}: its key is no address of its own.`)
  }
  const differing = database.prepare(`
    select contacts.id as name, counted, messages as stored
    from contacts full join (
      select contact, count(*) as counted, max(instant) as last
      from messages not indexed where contact is not null group by contact
    ) as counts on counts.contact = contacts.id
    where coalesce(counted, 0) is not messages or last is not last_instant`)
  for (const { name, counted, stored } of differing.iterate() as Iterable<Counted>) {
    report(
      `contact ${name ?? '?'}: has ${counted ?? 0} of the messages, and its row is not right (${stored ?? 'none'}).`,
    )
  }
}

/** Whom messages are of is asked where they are counted. */
function checkStrangers(database: DatabaseSync, report: Report): void {
  const strangers = database.prepare(`
    select name from (
      select 'row ' || seq as name, contact from events not indexed where contact is not null
      union all select 'an address of contact ' || contact, contact from contact_addresses)
    where contact not in (select id from contacts)`)
  for (const { name } of strangers.iterate() as Iterable<Counted>) {
    report(`${name}: its contact is not there.`)
  }
}

/** A number that is given again keeps everything from being stored, or is that of another body. */
function checkIntakes(
  database: DatabaseSync,
  { totals, report }: { totals: StoredTotals | null; report: Report },
): void {
  const { last } = database
    .prepare(
      `select max(id) as last from (
         select max(id) as id from intakes
         union all select max(intake) from messages union all select max(intake) from events)`,
    )
    .get() as { last: number | null }
  if (totals === null || last === null || last <= totals.lastIntake) return
  report(`totals: last_intake is ${totals.lastIntake}, and the last one is ${last}.`)
}

function checkStates(database: DatabaseSync, report: Report): void {
  const statuses = database.prepare(`
    select coalesce(message_states.message_id, history.message_id) as message_id,
      history.status, history.instant, message_states.status as stored
    from (select message_id, type as status, instant from events not indexed
      where kind = 'status') as history
    full join message_states on message_states.message_id = history.message_id
    order by 1`)
  const check = new StateCheck(report)
  for (const row of statuses.iterate() as Iterable<StatusRow>) check.row(row)
  check.end()
}
