// How the days of raw bodies are made and dropped beside whoever stores, reads, makes and drops.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Client } from 'pg'
import { createPool } from '../../src/app/store/postgres/connections.ts'
import { Upkeep } from '../../src/app/store/postgres/upkeep.ts'
import { aMessage, intakeOf } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, daysOf, ingest, openStoreFor } from '../support/postgres-stores.ts'
import { until } from '../support/until.ts'

const FIRST = Date.parse('2025-01-15T12:00:00Z')
/** As pg_dump locks what it reads. */
const DUMP = 'begin; lock table intakes, messages, events, store, batches in access share mode'
const MAKE = "select make_days_1('2025-01-15', 3) as made"

async function withStore(t: TestContext) {
  const url = await newDatabase()
  const store = await openStoreFor(t, url)
  const [one, other] = [await connectFor(t, url), await connectFor(t, url)]
  return { store, one, other }
}

const madeDaysOf = (client: Client) => daysOf(client, '202501')

async function lastTableOf(client: Client): Promise<string> {
  return `intakes_${(await daysOf(client)).at(-1)}`
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
    assert.deepEqual(await madeDaysOf(one), ['20250116', '20250117'])
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

  it('that a dump keeps from being made are no fault of the server, and made after it', async (t) => {
    const url = await newDatabase()
    await (await openStoreFor(t, url)).close()
    const dump = await connectFor(t, url)
    const last = await lastTableOf(dump)
    await dump.query(`drop table ${last}`)
    await dump.query(DUMP)
    const store = await openStoreFor(t, url, { onUpkeepError: assert.ifError })
    await store.insert([intakeOf(aMessage())])
    await store.close()
    await dump.query('commit')
    await openStoreFor(t, url)
    assert.notDeepEqual((await dump.query(`select to_regclass('${last}') as day`)).rows, [
      { day: null },
    ])
  })

  it('that somebody has kept from being made for a day are told of, once', async (t) => {
    const url = await newDatabase()
    await (await openStoreFor(t, url)).close()
    const dump = await connectFor(t, url)
    await dump.query(`drop table ${await lastTableOf(dump)}`)
    await dump.query(DUMP)
    t.mock.timers.enable({ apis: ['setInterval'] })
    const pool = createPool(url, 2)
    t.after(() => pool.end())
    const told: string[] = []
    let nowMs = 0
    let looks = 0
    const upkeep = new Upkeep(
      {
        pool,
        onError: assert.ifError,
        onHeldUp: (heldBy) => told.push(heldBy),
        onClocksApart: () => assert.fail(),
      },
      () => {
        looks++
        return nowMs
      },
    )
    await upkeep.start()
    for (const hours of [23, 24, 48]) {
      assert.equal(told.length, hours > 24 ? 1 : 0)
      nowMs = hours * 60 * 60 * 1000
      const before = looks
      t.mock.timers.tick(10 * 60_000)
      await until('it has looked', () => looks > before)
    }
    await upkeep.close()
    assert.equal(told.length, 1)
    assert.match(told[0] ?? '', /^other sessions hold locks on the table intakes .* end them$/)
  })

  it('are made or dropped, and never both at once', async (t) => {
    const { store, one, other } = await withStore(t)
    await one.query(MAKE)
    await one.query('begin; select pg_advisory_xact_lock(folding_lock_1() + 1)')
    const days = ['20250115', '20250116', '20250117']
    assert.equal(await store.expireIntakes(FIRST + 400_000_000), 'done')
    assert.deepEqual(await madeDaysOf(other), days)
    assert.deepEqual((await other.query("select make_days_1('2025-01-18', 1) as made")).rows, [
      { made: 0 },
    ])
    await one.query('commit')
    while ((await store.expireIntakes(FIRST + 400_000_000)) === 'more');
    assert.deepEqual(await madeDaysOf(other), [])
  })
})
