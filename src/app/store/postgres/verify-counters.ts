// Whatever is counted or concluded from rows, with the changes that were not folded yet, against
// the rows themselves. People and senders are named by numbers alone.
import { StateCheck, type StatusRow } from '../verify/states.ts'
import type { Report } from '../verify/verification.ts'
import { countSenders } from './counters.ts'
import type { Snapshot } from './snapshot.ts'
import type { VerifyTransaction } from './verify-transaction.ts'

export type CountersOptions = {
  readonly transaction: VerifyTransaction
  readonly snapshot: Snapshot
  readonly report: Report
}

type Counted = { name: string; counted: number | null; stored: number | null }
type CountedSender = { seq: number | null; counted: number | null; stored: number | null }

/** What readers add up, by counter and key. */
const STORED = `
  select counter, key, sum(count)::bigint as stored from (
    select counter, key, count from counts
    union all select counter, key, change from count_changes) as each group by counter, key`

/** Counts everything again; returns how many senders there are. */
export async function checkCounters({
  transaction,
  snapshot,
  report,
}: CountersOptions): Promise<number> {
  await transaction.each<Counted>(COUNTS_SQL, ({ name, counted, stored }) =>
    report(`counter ${name}: is ${stored ?? 0}, and there are ${counted ?? 0}.`),
  )
  await transaction.each<CountedSender>(SENDERS_SQL, ({ seq, counted, stored }) => {
    const says = stored === null ? 'has no counter' : `the counter says ${stored}`
    report(
      seq === null
        ? `a sender of no message: ${says}.`
        : `the sender of row ${seq}: sent ${counted} of the messages, and ${says}.`,
    )
  })
  const senders = await transaction.number('select count(distinct sender) from messages')
  const stored = await countSenders(snapshot)
  if (stored !== senders) report(`counter senders: is ${stored}, and there are ${senders}.`)
  return senders
}

const COUNTS_SQL = `
  with counted as (
    select 'type' as counter, type as key, count(*) as counted from messages group by 2
    union all select 'day', left(instant, 10), count(*) from messages group by 2
    union all select 'kind', 'message', count(*) from messages
    union all select 'kind', kind, count(*) from events group by 2
    union all select 'status', status, count(*) from message_states group by 2
  ), stored as (${STORED})
  select coalesce(counted.counter || ' ' || counted.key, stored.counter || ' ' || stored.key)
    as name, counted, stored
  from counted full join (select * from stored where counter not in ('sender', 'senders')) as stored
    on counted.counter = stored.counter and counted.key = stored.key
  where coalesce(counted, 0) <> coalesce(stored, 0) order by 1`

const SENDERS_SQL = `
  with counted as (
    select sender, count(*) as counted, min(seq) as seq from messages group by sender
  ), stored as (${STORED})
  select seq, counted, stored
  from counted full join (select * from stored where counter = 'sender') as stored
    on sender = key
  where counted is distinct from stored order by seq`

type Person = { contact: number; counted: number; stored: number | null }

/** People's messages and newest instants, that everybody is found by their key, and whoever is named is there. */
export async function checkContacts({ transaction, report }: CountersOptions): Promise<void> {
  await transaction.each<Person>(ACTIVITY_SQL, ({ contact, counted, stored }) =>
    report(
      `contact ${contact}: has ${counted} of the messages, and its activity is not right (${stored ?? 'none'}).`,
    ),
  )
  await transaction.each<{ id: number }>(KEYS_SQL, ({ id }) =>
    report(`contact ${id}: its key is no address of its own.`),
  )
  await transaction.each<{ name: string }>(STRANGERS_SQL, ({ name }) =>
    report(`${name}: its contact is not there.`),
  )
}

const ACTIVITY_SQL = `
  with counted as (
    select contact, count(*) as counted, max(instant) as last_instant from messages
    where contact is not null group by contact
  ), stored as (
    select contact, sum(messages)::bigint as stored, max(last_instant) as last_instant from (
      select contact, messages, last_instant from activity
      union all select contact, messages, last_instant from activity_changes) as each
    group by contact)
  select coalesce(counted.contact, stored.contact) as contact,
    coalesce(counted, 0) as counted, stored
  from counted full join stored on counted.contact = stored.contact
  where counted is distinct from stored
    or counted.last_instant is distinct from stored.last_instant
  order by 1`

/** Who is not found under their key would be made once more under it. */
const KEYS_SQL = `
  select id from contacts where not exists (
    select 1 from contact_addresses where address = key and contact = contacts.id)
  order by id`

const STRANGERS_SQL = `
  select named.name from (
    select 'row ' || seq as name, contact from messages
    union all select 'row ' || seq, contact from events
    union all select 'an address of contact ' || contact, contact from contact_addresses) as named
  left join contacts on contacts.id = named.contact
  where named.contact is not null and contacts.id is null`

/** The current status of each message, and that no other has one. */
export async function checkStates({ transaction, report }: CountersOptions): Promise<void> {
  const check = new StateCheck(report)
  await transaction.each<StatusRow>(
    `select coalesce(states.message_id, history.message_id) as message_id, history.status,
       history.instant, states.status as stored
     from (select message_id, type as status, instant from events where kind = 'status') as history
     full join message_states as states on states.message_id = history.message_id
     order by 1`,
    (row) => check.row(row),
  )
  check.end()
}
