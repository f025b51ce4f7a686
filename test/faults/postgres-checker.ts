// Compares what a sender was told with what PostgreSQL stores: by plain SQL, and ids read from the
// stored bodies.
import { Client } from 'pg'
import { rowAnomalies, type StoredRow } from './checker.ts'
import type { Sent } from './sender.ts'

/** Counters as a reader sees them: what was folded and what was appended since. */
const COUNTED = `(select counter, key, count from counts
  union all select counter, key, change from count_changes) as counted`
const ACTIVE = `(select contact, messages from activity
  union all select contact, messages from activity_changes) as active`

const COUNTERS: Readonly<Record<string, string>> = {
  'the counters of messages are wrong': `
    select counter, sum(count) from ${COUNTED} where counter in ('type', 'day', 'sender')
    group by counter having sum(count) <> (select count(*) from messages)`,
  'a counter of a sender is wrong': `
    select key, sum(count) from ${COUNTED} where counter = 'sender' group by key
    except select sender, count(*) from messages group by sender`,
  'the counter of messages is wrong': `
    select sum(count) from ${COUNTED} where counter = 'kind' and key = 'message'
    having sum(count) <> (select count(*) from messages)`,
  'a contact is wrong': `
    select contact, sum(messages) from ${ACTIVE} group by contact
    except select contact, count(*) from messages group by contact`,
  'a number was given twice': `
    select seq, count(*) from (select seq from messages union all select seq from events) as all_seqs
    group by seq having count(*) > 1`,
  'a body is of no message': `
    select id from intakes where not exists (select 1 from messages where intake = intakes.id)`,
}

/** Everything that contradicts the promises, a sentence each; empty when all is well. */
export async function postgresAnomalies(
  url: string,
  sent: ReadonlyMap<string, Sent>,
): Promise<string[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<StoredRow>(
      `select convert_from(body, 'UTF8')::json ->> 'message_id' as id, body, sha256
       from messages join intakes on intakes.id = messages.intake`,
    )
    const found = rowAnomalies(rows, sent)
    for (const [what, sql] of Object.entries(COUNTERS)) {
      for (const row of (await client.query(sql)).rows)
        found.push(`${what}: ${JSON.stringify(row)}`)
    }
    return found
  } finally {
    await client.end()
  }
}
