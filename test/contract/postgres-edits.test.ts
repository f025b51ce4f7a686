// A message that many events of one body edit is written once: written for each of them, a body of
// thousands would take longer than it may, each time it comes.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { anEdit, aText, at, change } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'

const EDITS = 600

const edit = (i: number) => anEdit('edited', `${i}`, { id: `edit ${i}`, ...at(1 + (i % 7)) })

it('a message that a body edits many times is written once on PostgreSQL', async (t) => {
  const url = await newDatabase()
  const store = await openStoreFor(t, url)
  const client = await connectFor(t, url)
  const edits = Array.from({ length: EDITS }, (_, i) => edit(i))
  await client.query('begin')
  await ingest(client, [
    intakeWith(change({ messages: [aText({ id: 'edited', ...at(0) }), ...edits, ...edits] })),
  ])
  const { rows } = await client.query<{ written: number }>(
    `select n_tup_upd::integer as written from pg_stat_xact_user_tables where relname = 'messages'`,
  )
  await client.query('commit')
  assert.deepEqual(rows, [{ written: 1 }])
  const found = await store.find('edited')
  const last = edits.filter(({ timestamp }) => timestamp === at(7).timestamp).map(({ id }) => id)
  assert.equal(`edit ${found?.message.text}`, last.sort().at(-1))
  assert.equal(found?.events.length, EDITS)
})
