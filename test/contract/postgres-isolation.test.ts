// Whoever waited for another transaction sees what it stored, also where sessions of the database see
// one state from their beginning unless they ask for another way.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import {
  connectAlone,
  connectWriter,
  createPool,
} from '../../src/app/store/postgres/connections.ts'
import { anEdit, aText, at, change } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, ingest, isLockAwaited, openStoreFor } from '../support/postgres-stores.ts'
import { until } from '../support/until.ts'

const MESSAGE = intakeWith(change({ messages: [aText({ id: 'a' })] }))
const EDIT = intakeWith(change({ messages: [anEdit('a', 'Edited', { id: 'e', ...at(100) })] }))

/** An empty database whose sessions begin with this isolation. */
async function databaseWith(test: TestContext, isolation: string): Promise<string> {
  const url = await newDatabase()
  const client = await connectFor(test, url)
  const name = new URL(url).pathname.slice(1)
  await client.query(`alter database ${name} set default_transaction_isolation = '${isolation}'`)
  return url
}

for (const isolation of ['repeatable read', 'serializable']) {
  describe(`a database with default_transaction_isolation = '${isolation}'`, () => {
    it('has an edit on its message that waited until the message was committed', async (test) => {
      const url = await databaseWith(test, isolation)
      const store = await openStoreFor(test, url)
      await store.insert([intakeWith(change({ messages: [aText({ id: 'first' })] }))])
      const other = await connectFor(test, url)
      await other.query('begin isolation level read committed')
      await ingest(other, [MESSAGE])
      const editing = store.insert([EDIT])
      await until('the edit waits', () => isLockAwaited(other))
      await other.query('commit')
      await editing
      const found = await store.find('a')
      assert.deepEqual([found?.message.text, found?.message.edited], ['Edited', true])
    })

    it('is read committed to whoever stores, folds, migrates or copies', async (test) => {
      const url = await databaseWith(test, isolation)
      const pool = createPool(url, 1)
      test.after(() => pool.end())
      const clients = [await connectWriter(url, () => 3000), await connectAlone(url)]
      for (const client of clients) test.after(() => client.end())
      for (const session of [pool, ...clients]) {
        const { rows } = await session.query('show transaction_isolation')
        assert.deepEqual(rows, [{ transaction_isolation: 'read committed' }])
      }
    })
  })
}
