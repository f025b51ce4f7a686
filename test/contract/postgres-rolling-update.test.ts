// Replicas of two versions side by side: what a version to come may do to the schema, and what not.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { AppError, StoreUnavailableError } from '../../src/app/errors.ts'
import { openPostgresStore } from '../../src/app/store/postgres/postgres-store.ts'
import { type Migration, migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { type AMessage, aMessage, insertAll, shownPage } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { modelPage, modelStats } from '../support/message-model.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'

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

/** Each breaks a promise to the replicas of the version before it. */
const BREAKING: Readonly<Record<string, string>> = {
  'drops the function that stores': 'drop function ingest_1 cascade',
  'drops a function that storing calls': 'drop function last_given_seq_1 cascade',
  'drops the function that bounds the sequence': 'drop function settled_seq_1',
  'drops a column that is read': 'alter table messages drop column content',
  'renames a column': 'alter table contacts rename column username to handle',
  'drops a table': 'drop table activity',
  'wants more of a row than is given': `alter table messages add column rating integer;
    update messages set rating = 0; alter table messages alter column rating set not null`,
}

type Scene = {
  readonly url: string
  readonly running: MessageStore
  readonly messages: readonly AMessage[]
  /** Of what is done beside storing and reading. */
  readonly faults: unknown[]
}

function openTelling(test: TestContext, url: string, faults: unknown[]): Promise<MessageStore> {
  const onUpkeepError = (error: unknown) => void faults.push(error)
  return openStoreFor(test, url, { onUpkeepError })
}

/** A replica that has stored messages, before the schema goes on under it. */
async function withNewerSchema(test: TestContext, next: readonly Migration[]): Promise<Scene> {
  const url = await newDatabase()
  const faults: unknown[] = []
  const running = await openTelling(test, url, faults)
  const messages = Array.from({ length: 10 }, (_, i) => aMessage({ from: `+1${i % 7}0` }))
  await insertAll(running, messages)
  await migrate(await connectFor(test, url), [...MIGRATIONS, ...next])
  return { url, running, messages, faults }
}

/** It and another one that starts now store and read everything. */
async function assertGoesOn(test: TestContext, scene: Scene): Promise<void> {
  const { url, running, messages: earlier, faults } = scene
  const later = Array.from({ length: 20 }, (_, i) => aMessage({ from: `+1${i % 7}0` }))
  const messages = [...earlier, ...later]
  await insertAll(running, later.slice(0, 10))
  await running.probe()
  const started = await openTelling(test, url, faults)
  await started.probe()
  await insertAll(started, later.slice(10))
  for (const store of [running, started]) {
    assert.deepEqual(shownPage(await store.page(ALL)), modelPage(messages, ALL))
    assert.deepEqual(await store.stats(), modelStats(messages))
    const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 100 })
    assert.equal(entries.length, 30)
    assert.equal((await store.conversations({ limit: 100 })).conversations.length, 7)
  }
  assert.deepEqual(faults, [])
}

describe('a newer schema on PostgreSQL', () => {
  it('may be more than a replica of this version knows, which goes on and may start anew', async (test) => {
    await assertGoesOn(test, await withNewerSchema(test, [EXPANDING]))
  })

  for (const [what, sql] of Object.entries(BREAKING)) {
    it(`that ${what} is caught`, async (test) => {
      const scene = await withNewerSchema(test, [{ ...EXPANDING, sql }])
      await assert.rejects(assertGoesOn(test, scene))
    })
  }

  it('makes a replica unready that is too old for it, and keeps such a one from starting', async (test) => {
    const url = await newDatabase()
    const client = await connectFor(test, url)
    const running = await openStoreFor(test, url)
    await running.probe()
    await migrate(client, [...MIGRATIONS, EXPANDING, CONTRACTING])
    await assert.rejects(running.probe(), /newer version of the service/)
    const options = { url, poolSize: 5, onCommitted: () => {}, onUpkeepError: assert.ifError }
    await assert.rejects(openPostgresStore(options), {
      name: 'ConfigurationError',
      message: /newer version of the service/,
    })
  })

  for (const [what, sql] of Object.entries(BREAKING)) {
    it(`that ${what} is no fault of a replica that is too old for it`, async (test) => {
      const { running } = await withNewerSchema(test, [EXPANDING, { ...CONTRACTING, sql }])
      const found = await Promise.allSettled([
        insertAll(running, [aMessage()]),
        running.page(ALL),
        running.stats(),
        running.eventsAfter({ filter: {}, after: 0, limit: 100 }),
        running.conversations({ limit: 100 }),
      ])
      const faults = found.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
      assert.ok(faults.length > 0)
      for (const fault of faults) {
        if (fault instanceof AppError) assert.equal(fault.code, 'reads_unavailable')
        const cause = fault instanceof AppError ? fault.cause : fault
        assert.ok(cause instanceof StoreUnavailableError, String(cause))
        assert.match(cause.message, /start a newer version of the service/)
      }
      await assert.rejects(running.probe(), /newer version of the service/)
    })
  }

  it('is not blamed for what is missing without it: that is a fault, and no later try mends it', async (test) => {
    const url = await newDatabase()
    const client = await connectFor(test, url)
    const running = await openTelling(test, url, [])
    await client.query('drop function ingest_1 cascade; drop function settled_seq_1')
    await assert.rejects(insertAll(running, [aMessage()]), { name: 'Error', code: '42883' })
    const reading = running.eventsAfter({ filter: {}, after: 0, limit: 100 })
    await assert.rejects(reading, { name: 'Error', code: '42883' })
  })
})
