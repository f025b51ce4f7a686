// The least that a replica on PostgreSQL can be: (a), and one statement for all that arrived together,
// which stores the rows that pgbench stores. Who sent a message is a number; no copy is compared, no
// status or edit applied, nothing folded, indexed or made ready for a second attempt; no log. It would
// lose messages beside a second one that learns of the same people.
import pg from 'pg'
import { type Received, serve } from './bare-receiver.ts'
import type { Message } from './message-table.ts'

type Waiting = { readonly received: Received; readonly answerOk: () => void }

const STORE = `with given as materialized (
  select e.*, nextval('intake_ids') as intake
  from json_to_recordset($1::json) as e(message_id text, sender text, recipient text, ts text,
    text text, body text, received_at bigint)
), senders as (
  select distinct sender from given
), known as (
  select sender, contact from senders join contact_addresses on address = sender
), taken as (
  insert into contact_addresses (address, contact)
  select sender, nextval('contact_ids') from senders
  where sender not in (select sender from known) order by sender
  on conflict (address) do nothing returning address, contact
), made as (
  insert into contacts (id, key, phone, address_instant, profile_instant)
  select contact, address, address, '', '' from taken
), people as (
  select sender, contact from known union all select address, contact from taken
), kept as (
  insert into intakes (id, provider, received_at, sha256, bytes, headers, body)
  select intake, 'flat', received_at, sha256(body::bytea), length(body), '{}', body::bytea from given
), stored as (
  insert into messages (seq, message_id, namespace, provider, intake, type, direction, sender,
    recipient, contact, ts, instant, text, folded, received_at)
  select nextval('event_seq'), message_id, '', 'flat', intake, 'text', 'inbound', sender,
    recipient, contact, ts, ts, text, lower(text), received_at
  from given join people using (sender) order by message_id
  on conflict (message_id, namespace) do nothing returning sender, contact, instant
), counted as (
  insert into count_changes
  select counter, key, count(*) from stored cross join lateral (values
    ('kind', 'message'), ('type', 'text'), ('day', left(instant, 10)), ('sender', sender)
  ) as c(counter, key) group by counter, key
)
insert into activity_changes select contact, count(*), max(instant) from stored group by contact`

const client = new pg.Client({ connectionString: process.env['DATABASE_URL'] })
await client.connect()
// A plan that is made while tables are small reads whole tables.
await client.query('set enable_seqscan = off')

let waiting: Waiting[] = []
let isStoring = false

async function storeAll(): Promise<void> {
  isStoring = true
  while (waiting.length > 0) {
    const batch = waiting
    waiting = []
    const rows = JSON.stringify(batch.map(({ received }) => rowOf(received)))
    await client.query({ name: 'store', text: STORE, values: [rows] })
    for (const { answerOk } of batch) answerOk()
  }
  isStoring = false
}

function rowOf({ body, raw }: Received) {
  const { message_id, from: sender, to: recipient, ts, text } = body as Message
  const kept = raw.toString('utf8')
  return { message_id, sender, recipient, ts, text, body: kept, received_at: Date.now() }
}

serve((received, answerOk) => {
  if (waiting.push({ received, answerOk }) > 1 || isStoring) return
  setImmediate(() => void storeAll())
})
