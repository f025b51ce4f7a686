// How raw bodies expire where each day has a table of its own.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { ExpiryStep } from '../../src/app/store/store.ts'
import { aMessage, intakeOf } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, daysOf, openStoreFor } from '../support/postgres-stores.ts'

const DAY_MS = 24 * 60 * 60 * 1000

it('a day of raw bodies that somebody reads keeps no later day from expiring, and goes afterwards', async (test) => {
  const url = await newDatabase()
  const store = await openStoreFor(test, url)
  const client = await connectFor(test, url)
  await client.query("select make_days_1('2025-01-15', 3)")
  const first = Date.parse('2025-01-15T12:00:00Z')
  for (const day of [0, 1, 2]) {
    await store.insert([{ ...intakeOf(aMessage()), receivedAt: first + day * DAY_MS }])
  }
  const days = async () => (await daysOf(client, '202501')).map((day) => `intakes_${day}`)
  assert.deepEqual(await days(), ['intakes_20250115', 'intakes_20250116', 'intakes_20250117'])

  const reader = await connectFor(test, url)
  await reader.query('begin; select count(*) from intakes_20250115')
  const expireAll = async () => {
    let step: ExpiryStep = 'more'
    while (step === 'more') step = await store.expireIntakes(first + 1.5 * DAY_MS)
    return step
  }
  const step = await expireAll()
  assert.ok(typeof step === 'object')
  assert.match(step.heldBy, /^other sessions hold locks/)
  assert.ok(step.againMs >= 60_000, 'whoever stores waits with a try')
  assert.deepEqual(await days(), ['intakes_20250115', 'intakes_20250117'])
  assert.equal(await store.rawBody(1), null, 'what has expired is hidden at once')
  assert.notEqual(await store.rawBody(3), null)

  await reader.query('commit')
  assert.equal(await expireAll(), 'done')
  assert.deepEqual(await days(), ['intakes_20250117'])
})

it('a replica of an earlier version whose clock is ahead lets nothing expire that arrived within a day', async (test) => {
  const url = await newDatabase()
  const store = await openStoreFor(test, url)
  const client = await connectFor(test, url)
  await store.insert([intakeOf(aMessage())])
  await client.query('select expire_intakes_2($1)', [Date.now() + 40 * DAY_MS])
  assert.notEqual(await store.rawBody(1), null)
})
