// A database whose transactions may take hardly any time (PostgreSQL 17 and newer): what the service
// does has limits of its own.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { MIGRATION_LOCK } from '../../src/app/store/postgres/locks.ts'
import { aMessage, insertAll } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, isLockAwaited, openStoreFor } from '../support/postgres-stores.ts'
import { until } from '../support/until.ts'

/** Sets it where the server knows it. */
const LIMIT = `do $$ begin
    if exists (select from pg_settings where name = 'transaction_timeout') then
      execute format('alter database %I set transaction_timeout = 200', current_database());
    end if;
  end $$`
/** Longer than a transaction may take. */
const HOLD = 'select pg_sleep(0.5)'

it('a transaction_timeout of the database ends neither the start nor a batch', async (t) => {
  const url = await newDatabase()
  const [holder, watcher] = [await connectFor(t, url), await connectFor(t, url)]
  await holder.query(LIMIT)

  await holder.query(`begin; select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
  const opening = openStoreFor(t, url)
  await until('the start waits', () => isLockAwaited(watcher))
  await holder.query(`${HOLD}; commit`)
  const store = await opening
  await store.probe()

  await holder.query('begin; select pg_advisory_xact_lock(storing_lock_1())')
  const inserting = insertAll(store, [aMessage()])
  await until('the batch waits', () => isLockAwaited(watcher))
  await holder.query(HOLD)
  assert.equal(await isLockAwaited(watcher), true, 'it still waits')
  await holder.query('commit')
  assert.deepEqual(await inserting, [{ kind: 'created' }])
})
