// A schema that has to change a table while somebody reads it for long, as a backup does: whoever stores
// queues up behind the change, and must not for as long as the reader takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { aMessage, insertAll, intakeOf } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'
import { until } from '../support/until.ts'

const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)
/** The first that changes a table of the versions before. */
const CHANGING = MIGRATIONS.findIndex(({ sql }) => /^alter table contacts/m.test(sql))
const LOOK_MS = 20
/** Of the looks at the server, those at which a change may wait for its table: a fifth of a second in three. */
const MAX_SHARE = 0.2

test('an update of the schema lets others store while a table is read, and is made when it is free', async (t) => {
  const url = await newDatabase()
  const writer = await connectFor(t, url)
  await migrate(writer, MIGRATIONS.slice(0, CHANGING))
  const reader = await connectFor(t, url)
  await reader.query('begin; select from contacts')

  const faults: unknown[] = []
  let isReached = false
  const store = await openStoreFor(t, url, {
    onUpkeepError: (error) => faults.push(error),
    onReached: () => {
      isReached = true
    },
  })
  await assert.rejects(store.probe())
  assert.match(String(faults[0]), /waits for a table that something long is reading/)

  const watcher = await connectFor(t, url)
  let looks = 0
  let waits = 0
  // What is stored meanwhile may wait in its turn for as long as a change does, so that no look sees it.
  while (faults.length < 3 || waits === 0) {
    const { rows } = await watcher.query(
      `select from pg_locks join pg_database d on d.oid = database
       where not granted and mode = 'AccessExclusiveLock' and datname = current_database()`,
    )
    looks++
    if (rows.length > 0) waits++
    if (waits === 0) await ingest(writer, [intakeOf(aMessage())])
    await delay(LOOK_MS)
  }
  assert.ok(waits < looks * MAX_SHARE, `it waited at ${waits} of ${looks} looks`)

  await reader.query('commit')
  await until('the schema is up to date', () => isReached)
  await insertAll(store, [aMessage()])
})
