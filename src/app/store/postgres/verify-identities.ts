// What should be there once, by sorts of the tables: the indexes that keep it so are not asked
// about themselves. Then that what belongs together is there, and that no number can come again.
import { nameOf, type Report } from '../verify/verification.ts'
import type { VerifyTransaction } from './verify-transaction.ts'

export type IdentitiesOptions = {
  readonly transaction: VerifyTransaction
  readonly report: Report
}

type Twice = { seq: number; message_id: string; kind: string; count: number; name: string }

/** Ids, identities and numbers that are stored twice. */
export async function checkUniqueness({ transaction, report }: IdentitiesOptions): Promise<void> {
  await transaction.each<Twice>(
    `select message_id, count(*) as count, min(seq) as seq from messages
     group by message_id, namespace having count(*) > 1 order by seq`,
    (row) => report(`${nameOf(row)}: the id is stored ${row.count} times.`),
  )
  await transaction.each<Twice>(
    `select kind, count(*) as count, min(seq) as seq from events where key is not null
     group by kind, key having count(*) > 1 order by seq`,
    ({ seq, kind, count }) =>
      report(`row ${seq} (${kind}): the identity is stored ${count} times.`),
  )
  await transaction.each<Twice>(
    `select seq, count(*) as count from (select seq from messages union all select seq from events)
       as numbered group by seq having count(*) > 1 order by seq`,
    ({ seq, count }) => report(`row ${seq}: is there ${count} times.`),
  )
  for (const [name, sql] of Object.entries(OTHERS)) {
    await transaction.each<Twice>(sql, (row) =>
      report(`${name} ${row.name}: is there ${row.count} times.`),
    )
  }
}

/** Of people the numbers alone: addresses and keys are theirs. That no key is there twice follows from whose it is. */
const OTHERS: Readonly<Record<string, string>> = {
  intake: 'select id as name, count(*) as count from intakes group by id having count(*) > 1',
  'the state of message': `select to_json(message_id)::text as name, count(*) as count
    from message_states group by message_id having count(*) > 1`,
  contact: 'select id as name, count(*) as count from contacts group by id having count(*) > 1',
  'an address of contact': `select min(contact) as name, count(*) as count
    from contact_addresses group by address having count(*) > 1`,
  'the activity of contact': `select contact as name, count(*) as count
    from activity group by contact having count(*) > 1`,
  'a counter of': `select counter as name, count(*) as count
    from counts group by counter, key having count(*) > 1`,
}

/** Bodies whose rows are all gone. A number that is missing says nothing: a batch that failed took some. */
export async function checkOrphans({ transaction, report }: IdentitiesOptions): Promise<void> {
  await transaction.each<{ id: number }>(
    `select id from intakes where received_at >= (select expired_before from store) and not exists (
       select 1 from messages where messages.intake = intakes.id) and not exists (
       select 1 from events where events.intake = intakes.id) order by id`,
    ({ id }) => report(`intake ${id}: nothing of what came in its body is stored.`),
  )
}

/** Read behind the rows: sequences only run on. */
export async function checkSequences({ transaction, report }: IdentitiesOptions): Promise<void> {
  for (const [name, column] of Object.entries(NUMBERED)) {
    const given = await transaction.number(
      `select case when is_called then last_value else last_value - 1 end from ${name}`,
    )
    const last = await transaction.number(column)
    if (last > given) report(`sequence ${name}: is at ${given}, and the last number is ${last}.`)
  }
}

const NUMBERED: Readonly<Record<string, string>> = {
  event_seq: 'select greatest((select max(seq) from messages), (select max(seq) from events))',
  intake_ids: `select greatest((select max(id) from intakes), (select max(intake) from messages),
    (select max(intake) from events))`,
  contact_ids: 'select max(id) from contacts',
}
