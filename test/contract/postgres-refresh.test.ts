// People of whom a batch says nothing new but names and later moments: brought up to date all at once,
// they end as if it had been event by event.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { Client } from 'pg'
import type { Intake } from '../../src/app/model/event.ts'
import { saidAt } from '../support/cloud-intake.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'

type Addresses = { readonly from?: string; readonly from_user_id?: string }
type Said = {
  readonly by: Addresses
  readonly second: number
  readonly name: string | undefined
  readonly username: string | undefined
}

/** One with both addresses, one with each alone. */
const PEOPLE: readonly Addresses[] = [
  { from: '14155550101', from_user_id: 'US.1' },
  { from: '14155550102' },
  { from_user_id: 'US.3' },
]
const addresses = fc.constantFrom<Addresses>(
  ...PEOPLE,
  { from: '14155550101' },
  { from_user_id: 'US.1' },
  // An id that is new to whoever has this number: nothing else of them is said at once.
  { from: '14155550102', from_user_id: 'US.2' },
)
/** Two are new: made at once, and up to date in the same batch. */
const newcomers = fc.constantFrom<Addresses>(
  { from: '14155550104' },
  { from: '14155550104', from_user_id: 'US.4' },
  { from_user_id: 'US.5' },
)
const said: fc.Arbitrary<Said> = fc.record({
  by: fc.oneof({ weight: 3, arbitrary: addresses }, { weight: 1, arbitrary: newcomers }),
  second: fc.nat(5),
  name: fc.constantFrom(undefined, 'Ada', 'Grace'),
  username: fc.constantFrom(undefined, undefined, 'ada', 'grace'),
})

function intakeOf({ by, second, name, username }: Said, i: number): Intake {
  return saidAt(second, `m${i}`, { from: undefined, ...by }, { name, username })
}

const KNOWN = PEOPLE.map((by, i) =>
  intakeOf({ by, second: 2, name: 'Ada', username: 'ada' }, i - PEOPLE.length),
)

/** What is known of everybody in the end, and whose each message is; nothing of it is kept. */
async function peopleAfter(client: Client, store: () => Promise<void>) {
  await client.query('begin')
  try {
    await ingest(client, KNOWN)
    await store()
    const { rows } = await client.query(
      `select (to_jsonb(c) - 'id')::text as person, (
         select array_agg(message_id order by message_id) from messages where contact = c.id) as said
       from contacts as c order by key`,
    )
    return rows
  } finally {
    await client.query('rollback')
  }
}

it('people that a batch says no more than names of end as event by event, on PostgreSQL', async (t) => {
  const url = await newDatabase()
  await openStoreFor(t, url)
  const client = await connectFor(t, url)
  await fc.assert(
    fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 8 }), async (given) => {
      const intakes = given.map(intakeOf)
      assert.deepEqual(
        await peopleAfter(client, () => ingest(client, intakes)),
        await peopleAfter(client, () => ingest(client, intakes, { everyEvent: true })),
      )
    }),
    { numRuns: 150 },
  )
})

it('and each of their rows is written once', async (t) => {
  const url = await newDatabase()
  await openStoreFor(t, url)
  const client = await connectFor(t, url)
  await ingest(client, KNOWN)
  const intakes = Array.from({ length: 60 }, (_, i) =>
    intakeOf({ by: PEOPLE[i % 3] ?? {}, second: 3 + i, name: `${i}`, username: undefined }, i),
  )
  await client.query('begin')
  await ingest(client, intakes)
  const { rows } = await client.query<{ written: number }>(
    `select n_tup_upd::integer as written from pg_stat_xact_user_tables where relname = 'contacts'`,
  )
  await client.query('rollback')
  assert.deepEqual(rows, [{ written: PEOPLE.length }])
})
