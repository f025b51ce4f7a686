// Migrations: several replicas at once, and interrupted ones; what upkeep does; what is refused.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Client } from 'pg'
import { fold } from '../../src/app/model/fold.ts'
import { openPostgresStore } from '../../src/app/store/postgres/postgres-store.ts'
import { migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { aMessage, insertAll, intakeOf } from '../support/a-message.ts'
import { NARROW, newDatabase } from '../support/databases.ts'
import { modelStats } from '../support/message-model.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'

const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)

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

  it('remembers a batch, so that sending it again answers as the first time', async (test) => {
    const url = await newDatabase()
    const store = await openStoreFor(test, url)
    const client = await connectFor(test, url)
    const token = '00000000-0000-4000-8000-000000000001'
    const intake = intakeOf(aMessage())
    await ingest(client, [intake], { token })
    await ingest(client, [intake], { token })
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
    const areAllFolded = async () => {
      const { rows } = await client.query(
        'select 1 from count_changes union all select 1 from activity_changes limit 1',
      )
      return rows.length === 0
    }
    while (!(await areAllFolded())) {
      assert.deepEqual(await store.stats(), modelStats(messages))
      assert.equal((await store.conversations({ limit: 100 })).conversations.length, 11)
      // Does nothing where the store itself is folding at this moment.
      await client.query('select fold_changes_1(4)')
    }
    assert.deepEqual(await store.stats(), modelStats(messages))
  })

  it('takes a server that would not flush for unusable', async (test) => {
    const careless = await PostgresServer.start({ settings: ['fsync=off'] })
    test.after(() => careless.remove())
    const url = await careless.newDatabase()
    const options = { url, poolSize: 5, onCommitted: () => {}, onUpkeepError: assert.ifError }
    await assert.rejects(openPostgresStore(options), {
      name: 'ConfigurationError',
      message: /fsync=off/,
    })
  })

  it('takes a database for unusable whose encoding lacks characters', async () => {
    const url = await newDatabase(NARROW)
    const options = { url, poolSize: 5, onCommitted: () => {}, onUpkeepError: assert.ifError }
    await assert.rejects(openPostgresStore(options), {
      name: 'ConfigurationError',
      message:
        "The PostgreSQL database can't be used: its encoding LATIN1 does not hold every character: create another database with encoding UTF8, and copy into it with migrate-store.",
    })
  })

  it('stores and finds every character in a database without an encoding', async (test) => {
    const url = await newDatabase(
      "encoding 'SQL_ASCII' locale_provider libc locale 'C' template template0",
    )
    const store = await openStoreFor(test, url)
    const text = 'Für 2000 € 😀'
    await insertAll(store, [aMessage({ text }), aMessage({ text: 'Fur 2000 $' })])
    const filter = { search: fold('FÜR 2000 € 😀') }
    const { messages } = await store.page({ filter, order: 'asc', limit: 10, offset: 0 })
    assert.deepEqual(
      messages.map((message) => message.text),
      [text],
    )
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
