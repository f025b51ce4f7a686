// Addresses of one person, also where two replicas see them at the same moment: one person in the end.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Intake } from '../../src/app/model/event.ts'
import { migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { aChangedNumber, aText, change } from '../support/cloud-api.ts'
import { intakeWith, saidAt } from '../support/cloud-intake.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'
import { until } from '../support/until.ts'

const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)
const PHONE = '14155550100'
const USER = 'US.13491208655302741918'

/** A message from somebody under these addresses. */
function messageFrom(addresses: { phone?: string; user?: string }): Intake {
  const { phone, user } = addresses
  const item = { ...aText({ from_user_id: user ?? null }), from: phone ?? null }
  return intakeWith(change({ messages: [item] }))
}

/**
 * Somebody is known under one address; under the other, a transaction that is not committed yet has
 * seen somebody new, when a message names both. Resolves with the people there are in the end.
 */
async function peopleAfter(
  t: TestContext,
  { known, meanwhile, sabotage }: { known: Intake; meanwhile: Intake; sabotage?: string },
) {
  const url = await newDatabase()
  const store = await openStoreFor(t, url)
  const other = await connectFor(t, url)
  const watcher = await connectFor(t, url)
  if (sabotage !== undefined) await other.query(sabotage)
  await store.insert([known])
  await other.query('begin')
  await ingest(other, [meanwhile])
  const both = store.insert([messageFrom({ phone: PHONE, user: USER })])
  await until('it waits for the other', async () => {
    const { rows } = await watcher.query(
      `select 1 from pg_stat_activity where datname = current_database()
         and wait_event_type = 'Lock' and query like '%ingest_%'`,
    )
    return rows.length > 0
  })
  await other.query('commit')
  await both
  const { conversations } = await store.conversations({ limit: 9 })
  return conversations.map(({ contact: { phone, userId }, messages }) => ({
    ...{ phone, userId, messages },
  }))
}

const ONE = [{ phone: `+${PHONE}`, userId: USER, messages: 3 }]
const byUser = messageFrom({ user: USER })
const byPhone = messageFrom({ phone: PHONE })

describe('a person that two replicas learn of at once on PostgreSQL', () => {
  it('is one, when the phone number was new to both', async (t) => {
    assert.deepEqual(await peopleAfter(t, { known: byUser, meanwhile: byPhone }), ONE)
  })

  it('is one, when the business-scoped id was new to both', async (t) => {
    assert.deepEqual(await peopleAfter(t, { known: byPhone, meanwhile: byUser }), ONE)
  })

  it('would be two without the guard', async (t) => {
    const sabotage = `create or replace function take_address_1(
      address text, target bigint, seen bigint) returns void language sql as ''`
    const people = await peopleAfter(t, { known: byUser, meanwhile: byPhone, sabotage })
    assert.equal(people.length, 2)
  })
})

describe('a person whose number changes on PostgreSQL', () => {
  it('is not looked for among the events of everybody else', async (t) => {
    const url = await newDatabase()
    await openStoreFor(t, url)
    const client = await connectFor(t, url)
    await client.query(
      `insert into events (seq, kind, type, provider, intake, contact, ts, instant, data, received_at)
       select n, 'status', 'read', 'cloud-api', 1, 1000000 + n, '', '', '{}', 0
       from generate_series(1, 20000) as g(n)`,
    )
    await client.query('begin')
    await ingest(client, [intakeWith(change({ messages: [aChangedNumber(PHONE, '14155550102')] }))])
    const { rows } = await client.query<{ read: number }>(
      `select seq_tup_read::integer as read from pg_stat_xact_user_tables where relname = 'events'`,
    )
    await client.query('rollback')
    assert.deepEqual(rows, [{ read: 0 }])
  })

  it('keeps what there is of them where it is', async (t) => {
    const url = await newDatabase()
    const store = await openStoreFor(t, url)
    const said = Array.from({ length: 200 }, (_, i) => aText({ id: `said ${i}`, from: PHONE }))
    await store.insert([intakeWith(change({ messages: said }))])
    const client = await connectFor(t, url)
    await client.query('begin')
    const moves = ['14155550102', '14155550103', '14155550104']
    for (const [i, number] of moves.entries()) {
      const changed = { ...aChangedNumber(moves[i - 1] ?? PHONE, number), id: `changed ${i}` }
      await ingest(client, [intakeWith(change({ messages: [changed] }))])
    }
    const { rows } = await client.query<{ moved: number }>(
      `select n_tup_upd::integer as moved from pg_stat_xact_user_tables where relname = 'messages'`,
    )
    await client.query('commit')
    assert.deepEqual(rows, [{ moved: 0 }])
    const { conversations } = await store.conversations({ limit: 9 })
    assert.deepEqual(
      conversations.map(({ messages }) => messages),
      [203],
    )
  })
})

const ELSE = '14155550102'

const LEFT = [
  saidAt(0, 'first', { from: ELSE, from_user_id: 'US.1' }),
  saidAt(2, 'left', aChangedNumber(PHONE, ELSE)),
  saidAt(3, 'known', { from: undefined, from_user_id: 'US.1' }),
]
const OTHER = saidAt(0, 'other', { from: undefined, from_user_id: 'US.2' })
const LATE = saidAt(1, 'late', { from: PHONE, from_user_id: 'US.2' })

/** After these, former versions left a number with somebody who was one with another person. */
const LEFT_WITH_NOBODY: Readonly<Record<string, readonly Intake[]>> = {
  'as the newest of somebody with an id': [
    ...LEFT,
    saidAt(4, 'back', { from: PHONE }),
    ...[OTHER, LATE],
  ],
  'as the key of somebody without one': [
    ...LEFT,
    saidAt(9, 'back', { from: PHONE }),
    OTHER,
    saidAt(4, 'seen', { from: '14155550107', from_user_id: 'US.2' }),
    saidAt(5, 'away', aChangedNumber('14155550107', '14155550108')),
    LATE,
  ],
}

for (const [how, intakes] of Object.entries(LEFT_WITH_NOBODY)) {
  it(`a number that was left with nobody, ${how}, is that person’s after the update`, async (t) => {
    const url = await newDatabase()
    const client = await connectFor(t, url)
    await migrate(client, MIGRATIONS.slice(0, 9))
    for (const intake of intakes) await ingest(client, [intake], { everyEvent: true })
    const { rows } = await client.query(
      `select address from contact_addresses
       where not exists (select from contacts where id = contact)`,
    )
    assert.deepEqual(rows, [{ address: `+${PHONE}` }])
    const store = await openStoreFor(t, url)
    await store.insert([saidAt(20, 'who', { from: PHONE })])
    const [who, late] = await Promise.all([store.find('who'), store.find('late')])
    assert.deepEqual(who?.message.contact, late?.message.contact)
  })
}
