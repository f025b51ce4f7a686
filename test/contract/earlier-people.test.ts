// People as earlier versions stored them, with one moment for all their addresses and one for their
// names: they stay who they were, and what comes late changes nothing that is newer.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import type { DatabaseUrl } from '../../src/app/store/database-url.ts'
import { migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { aStatus, at, change } from '../support/cloud-api.ts'
import { intakeWith, saidAt } from '../support/cloud-intake.ts'
import { newDatabase } from '../support/databases.ts'
import { databaseUrl, openEitherStore } from '../support/either-store.ts'
import { connectFor, ingest } from '../support/postgres-stores.ts'
import { findingsIn } from '../support/sound.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

type Fields = Readonly<Record<string, unknown>>

const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)
/** Up to the last schema that knew no more of a person's moments. */
const EARLIER = MIGRATIONS.filter(({ version }) => version < 9)

const said = (id: string, second: number, from: Fields, profile?: Fields) =>
  saidAt(second, id, { from: undefined, ...from }, profile)
const status = (second: number, more: Fields) =>
  intakeWith(change({ statuses: [aStatus('x', 'sent', { ...at(second), ...more })] }))

const BOTH = { from: '14155550201', from_user_id: 'US.1' }
const BEFORE = [
  said('both', 20, BOTH, { name: 'Ada', username: 'ada' }),
  said('id', 20, { from_user_id: 'US.2' }),
  said('phone', 20, { from: '14155550203' }),
  status(30, {}),
  status(10, { pricing: { billable: true } }),
]
const LATE = [
  said('b', 10, { from: '14155550299', from_user_id: 'US.1' }, { name: 'Old', username: 'old' }),
  said('i', 10, { from: '14155550202', from_user_id: 'US.2' }),
  said('p', 10, { from: '14155550203', from_user_id: 'US.3' }),
]

async function laterPeople(t: TestContext, url: DatabaseUrl) {
  const store = await openEitherStore(url)
  t.after(() => store.close())
  assert.deepEqual(await findingsIn(url), [])
  for (const intake of LATE) await store.insert([intake])
  assert.deepEqual(await findingsIn(url), [])
  const { conversations } = await store.conversations({ limit: 9 })
  return conversations
    .map(({ contact: { phone, userId, name, username }, messages }) => {
      return [phone, userId, name, username, messages]
    })
    .sort()
}

const PEOPLE = [
  ['+14155550201', 'US.1', 'Ada', 'ada', 2],
  ['+14155550202', 'US.2', null, null, 2],
  ['+14155550203', 'US.3', null, null, 2],
]

describe('people that an earlier version stored', () => {
  it('stay who they were on PostgreSQL', async (t) => {
    const url = await newDatabase()
    const client = await connectFor(t, url)
    await migrate(client, EARLIER)
    for (const intake of BEFORE) await ingest(client, [intake])
    assert.deepEqual(await laterPeople(t, databaseUrl(url)), PEOPLE)
  })

  it('stay who they were on SQLite', async (t) => {
    const file = join(temporaryDirectory(t), 'messages.db')
    const url = databaseUrl(`sqlite:///${file}`)
    const store = await openEitherStore(url)
    for (const intake of BEFORE) await store.insert([intake])
    await store.close()
    const database = new DatabaseSync(file)
    database.exec(`
      update contacts set address_instant = '2025-01-15T10:00:20';
      drop index events_by_contact;
      alter table contacts drop column user_instant;
      alter table contacts drop column username_instant;
      alter table contact_addresses drop column held_until;
      update events set data = json_remove(data, '$.pricing');
      update events set data = json_set(data, '$.timestamp', '1736935230');
      pragma user_version = 5`)
    database.close()
    assert.deepEqual(await laterPeople(t, url), PEOPLE)
  })
})
