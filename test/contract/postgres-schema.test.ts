// Migrations: several replicas at once, interrupted ones, and replicas of two versions side by side.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Client } from 'pg'
import { openPostgresStore } from '../../src/app/store/postgres/postgres-store.ts'
import { type Migration, migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { aMessage, insertAll, intakeOf, shownPage } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { modelPage, modelStats } from '../support/message-model.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-place.ts'
import { PostgresServer } from '../support/postgres-server.ts'

const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)
const LAST = MIGRATIONS.at(-1)?.version ?? 0
const ALL = { filter: {}, order: 'asc', limit: 100, offset: 0 } as const

/** What a version to come might do: more columns, a new table, an index, functions of its own. */
const EXPANDING: Migration = {
  version: LAST + 1,
  oldestReplica: 1,
  sql: `
    alter table messages add column language text;
    alter table events add column weight integer not null default 1;
    alter table contacts add column notes text;
    alter table contacts add column seen_at timestamptz not null default now();
    alter table intakes add column country text;
    alter table count_changes add column noted_at timestamptz default now();
    create table labels (id bigint primary key, name text not null);
    create index messages_by_language on messages (language);
    create function ingest_2() returns void language sql as 'select'`,
}
const CONTRACTING: Migration = { ...EXPANDING, version: LAST + 2, oldestReplica: LAST + 1, sql: '' }

async function versionsIn(client: Client): Promise<number[]> {
  const { rows } = await client.query('select version from schema_migrations order by version')
  return rows.map(({ version }) => version)
}

describe('the schema on PostgreSQL', () => {
  it('is made once by replicas that start together', async (test) => {
    const url = await newDatabase()
    const stores = await Promise.all(Array.from({ length: 6 }, () => openStoreFor(test, url)))
    for (const store of stores) await store.probe()
    const client = await connectFor(test, url)
    assert.deepEqual(
      await versionsIn(client),
      MIGRATIONS.map(({ version }) => version),
    )
  })

  it('is completed after a migration that was interrupted', async (test) => {
    const url = await newDatabase()
    const client = await connectFor(test, url)
    const [first, second] = MIGRATIONS
    assert.ok(first && second)
    await migrate(client, [first])
    const cut = { ...second, sql: `${second.sql}; select pg_terminate_backend(pg_backend_pid())` }
    await assert.rejects(migrate(client, [first, cut]))
    const store = await openStoreFor(test, url)
    await store.probe()
    await insertAll(store, [aMessage()])
    assert.equal((await store.stats()).totalMessages, 1)
  })

  it('may be expanded under a replica of this version, which goes on and may start anew', async (test) => {
    const url = await newDatabase()
    const client = await connectFor(test, url)
    const running = await openStoreFor(test, url)
    const messages = Array.from({ length: 30 }, (_, i) => aMessage({ from: `+1${i % 7}0` }))
    await insertAll(running, messages.slice(0, 10))
    await migrate(client, [...MIGRATIONS, EXPANDING])
    await insertAll(running, messages.slice(10, 20))
    await running.probe()
    const started = await openStoreFor(test, url)
    await started.probe()
    await insertAll(started, messages.slice(20))
    for (const store of [running, started]) {
      assert.deepEqual(shownPage(await store.page(ALL)), modelPage(messages, ALL))
      assert.deepEqual(await store.stats(), modelStats(messages))
      const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 100 })
      assert.equal(entries.length, 30)
      assert.equal((await store.conversations({ limit: 100 })).conversations.length, 7)
    }
  })

  it('makes a replica unready that is too old for it, and keeps such a one from starting', async (test) => {
    const url = await newDatabase()
    const client = await connectFor(test, url)
    const running = await openStoreFor(test, url)
    await running.probe()
    await migrate(client, [...MIGRATIONS, EXPANDING, CONTRACTING])
    await assert.rejects(running.probe(), /newer version of the service/)
    const options = { url, poolSize: 5, onCommitted: () => {}, onUpkeepError: assert.ifError }
    await assert.rejects(openPostgresStore(options), /newer version of the service/)
  })

  it('remembers a batch, so that sending it again answers as the first time', async (test) => {
    const url = await newDatabase()
    const store = await openStoreFor(test, url)
    const client = await connectFor(test, url)
    const token = '00000000-0000-4000-8000-000000000001'
    const intake = intakeOf(aMessage())
    await ingest(client, [intake], token)
    await ingest(client, [intake], token)
    const { rows } = await client.query('select outcomes from batches where token = $1', [token])
    assert.deepEqual(rows[0]?.outcomes, [])
    assert.equal((await store.stats()).totalMessages, 1)
  })

  it('folds counters part by part, and they are right at every moment', async (test) => {
    const url = await newDatabase()
    const store = await openStoreFor(test, url)
    const messages = Array.from({ length: 40 }, (_, i) => aMessage({ from: `+1${i % 11}0` }))
    await insertAll(store, messages)
    const client = await connectFor(test, url)
    for (let folded = 1; folded > 0; ) {
      assert.deepEqual(await store.stats(), modelStats(messages))
      assert.equal((await store.conversations({ limit: 100 })).conversations.length, 11)
      const { rows } = await client.query('select fold_changes_1(4) as folded')
      folded = Number(rows[0]?.folded)
    }
    const { rows } = await client.query(
      'select count(*) as n from (select 1 from count_changes union all select 1 from activity_changes) as c',
    )
    assert.equal(Number(rows[0]?.n), 0)
    assert.deepEqual(await store.stats(), modelStats(messages))
  })

  it('takes a server that would not flush for unusable', async (test) => {
    const careless = await PostgresServer.start({ settings: ['fsync=off'] })
    test.after(() => careless.remove())
    const url = await careless.newDatabase()
    const options = { url, poolSize: 5, onCommitted: () => {}, onUpkeepError: assert.ifError }
    await assert.rejects(openPostgresStore(options), /fsync=off/)
  })

  for (const [what, change, reason] of [
    ['a database that is not there', { pathname: '/nowhere' }, /no database/],
    ['a user that is not there', { username: 'stranger' }, /user/],
  ] as const) {
    it(`names ${what}, and never the password`, async () => {
      const { href: url } = Object.assign(new URL(await newDatabase()), {
        password: 'canary',
        ...change,
      })
      const options = { url, poolSize: 5, onCommitted: () => {}, onUpkeepError: assert.ifError }
      await assert.rejects(openPostgresStore(options), (error: Error) => {
        assert.match(error.message, reason)
        assert.doesNotMatch(error.message, /canary/)
        return true
      })
    })
  }
})
