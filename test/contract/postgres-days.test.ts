// How the days of raw bodies are made and dropped beside whoever stores, reads, makes and drops.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Client } from 'pg'
import { aMessage, intakeOf } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'
import { until } from '../support/until.ts'

const FIRST = Date.parse('2025-01-15T12:00:00Z')
const MAKE = "select make_days_1('2025-01-15', 3) as made"

async function withStore(t: TestContext) {
  const url = await newDatabase()
  const store = await openStoreFor(t, url)
  const [one, other] = [await connectFor(t, url), await connectFor(t, url)]
  return { store, one, other }
}

async function daysOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ day: string }>(
    "select right(relname, 8) as day from pg_class where relname ~ '^intakes_202501[0-9]{2}$' order by 1",
  )
  return rows.map(({ day }) => day)
}

/** The locks on tables of the process that waits to have all days for itself; null while none does. */
async function locksOfWaiting(client: Client): Promise<readonly string[] | null> {
  const { rows } = await client.query<{ tables: readonly string[] }>(
    `select array(select relation::regclass::text from pg_locks
       where pid = waiting.pid and granted and relation::regclass::text ~ '^intakes') as tables
     from pg_locks as waiting where not granted and relation = 'intakes'::regclass`,
  )
  return rows[0]?.tables ?? null
}

describe('the days of raw bodies', () => {
  it('are made around one of which a body is being stored', async (t) => {
    const { one, other } = await withStore(t)
    await one.query('begin')
    await ingest(one, [{ ...intakeOf(aMessage()), receivedAt: FIRST }])
    const making = other.query(MAKE)
    await until('it waits', async () => (await locksOfWaiting(one)) !== null)
    await one.query('commit')
    assert.deepEqual((await making).rows, [{ made: 2 }])
    assert.deepEqual(await daysOf(one), ['20250116', '20250117'])
  })

  it('are waited for with no lock that readers want too, so that none waits in a circle', async (t) => {
    const { one, other } = await withStore(t)
    await one.query('begin; lock table only intakes in access share mode')
    const making = other.query(MAKE)
    let locks: readonly string[] | null = null
    await until('it waits', async () => {
      locks = await locksOfWaiting(one)
      return locks !== null
    })
    assert.deepEqual(locks, [])
    await one.query('commit')
    assert.deepEqual((await making).rows, [{ made: 3 }])
  })

  it('are not locked where each is there, or has bodies that came before it', async (t) => {
    const { store, one, other } = await withStore(t)
    await store.insert([{ ...intakeOf(aMessage()), receivedAt: FIRST }])
    await other.query(MAKE)
    await one.query('begin; lock table only intakes in access share mode')
    await other.query('set lock_timeout = 1')
    assert.deepEqual((await other.query(MAKE)).rows, [{ made: 0 }])
  })

  it('are made or dropped, and never both at once', async (t) => {
    const { store, one, other } = await withStore(t)
    await one.query(MAKE)
    await one.query('begin; select pg_advisory_xact_lock(folding_lock_1() + 1)')
    const days = ['20250115', '20250116', '20250117']
    assert.equal(await store.expireIntakes(FIRST + 400_000_000), 'done')
    assert.deepEqual(await daysOf(other), days)
    assert.deepEqual((await other.query("select make_days_1('2025-01-18', 1) as made")).rows, [
      { made: 0 },
    ])
    await one.query('commit')
    while ((await store.expireIntakes(FIRST + 400_000_000)) === 'more');
    assert.deepEqual(await daysOf(other), [])
  })
})
