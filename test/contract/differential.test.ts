// The same made-up webhooks on both engines: whatever can be read is the same in the end, also where
// two replicas get each of them at once, and after a copy to the other engine and what follows.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Random, randomFrom } from '../../src/app/cli/random.ts'
import type { Intake } from '../../src/app/model/event.ts'
import { copyStore } from '../../src/app/store/copy/copy-store.ts'
import { openCopySource, openCopyTarget } from '../../src/app/store/copy/ends.ts'
import type { DatabaseUrl } from '../../src/app/store/database-url.ts'
import { everythingIn, withoutNumbers } from '../support/all-seen.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { newDatabase } from '../support/databases.ts'
import { databaseUrl, openEitherStore } from '../support/either-store.ts'
import { finalStateOf } from '../support/final-state.ts'
import { randomHistory } from '../support/random-histories.ts'
import { type People, randomIntake } from '../support/random-webhooks.ts'
import { findingsIn } from '../support/sound.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const BATCHES = 20
/** Short, as what happens later repairs what came too late; by seed, what each of them has found. */
const HISTORY_LENGTH = 9
const HISTORIES = [
  [6, 'an older number for the current one'],
  [8, 'an older id for the current one'],
  [9, 'a status with the time of one request and the data of another'],
  [12, 'media of nobody, of which the history says whose they are'],
  [48, 'one person as two'],
] as const

/** Batches of one to five requests; in contested ones of one. Every fifth comes again later. */
function batchesFor(seed: number, people: People): Intake[][] {
  const random = randomFrom(seed)
  const batches = Array.from({ length: BATCHES }, () => {
    const size = people === 'contested' ? 1 : 1 + Math.floor(random() * 5)
    return Array.from({ length: size }, () => randomIntake(random, people))
  })
  const again = batches.filter((_, i) => i % 5 === 0).map((batch) => batch.slice(0, 1))
  return [...batches, ...again]
}

function newSqlite(t: TestContext): DatabaseUrl {
  return databaseUrl(`sqlite:///${join(temporaryDirectory(t), 'messages.db')}`)
}

async function newPostgres(): Promise<DatabaseUrl> {
  return databaseUrl(await newDatabase())
}

async function openFor(t: TestContext, url: DatabaseUrl) {
  const store = await openEitherStore(url)
  t.after(() => store.close())
  return store
}

async function assertSound(url: DatabaseUrl): Promise<void> {
  assert.deepEqual(await findingsIn(url), [])
}

async function copied(from: DatabaseUrl, to: DatabaseUrl): Promise<void> {
  const [source, target] = [await openCopySource(from), await openCopyTarget(to)]
  const { differs } = await copyStore(source, target, () => {})
  await source.close()
  await target.close()
  assert.deepEqual(differs, [])
}

describe('the same webhooks on SQLite and PostgreSQL', () => {
  for (const [seed, people] of [
    [2, 'settled'],
    [7, 'contested'],
  ] as const) {
    it(`look the same, also after a copy each way: people ${people}, seed ${seed}`, async (t) => {
      const urls = [newSqlite(t), await newPostgres()] as const
      const [sqlite, postgres] = [await openFor(t, urls[0]), await openFor(t, urls[1])]
      const batches = batchesFor(seed, people)
      for (const [i, batch] of batches.entries()) {
        const expected = (await sqlite.insert(batch)).outcomes
        assert.deepEqual((await postgres.insert(batch)).outcomes, expected, `batch ${i}`)
      }
      const expected = await everythingIn(sqlite)
      assert.deepEqual(await everythingIn(postgres), expected)
      const copies = [await newPostgres(), newSqlite(t)] as const
      await copied(urls[0], copies[0])
      await copied(urls[1], copies[1])
      for (const copy of copies) {
        const store = await openFor(t, copy)
        assert.deepEqual(await everythingIn(store), expected)
        await store.insert(batches[0] ?? [])
      }
      for (const url of [...urls, ...copies]) await assertSound(url)
    })
  }

  it('look as if each had come twice, where two replicas get each at once', async (t) => {
    const sqlite = await openFor(t, newSqlite(t))
    const url = await newPostgres()
    const replicas = [await openFor(t, url), await openFor(t, url)]
    for (const batch of batchesFor(3, 'settled')) {
      await sqlite.insert(batch)
      await sqlite.insert(batch)
      await Promise.all(replicas.map((replica) => replica.insert(batch)))
    }
    const expected = withoutNumbers(await everythingIn(sqlite))
    for (const replica of replicas) {
      assert.deepEqual(withoutNumbers(await everythingIn(replica)), expected)
    }
    await assertSound(url)
  })
})

/** Each once and some again, in any order, in batches of one to four. */
function shuffled(intakes: readonly Intake[], random: Random): Intake[][] {
  const again = intakes.filter(() => random() < 0.2)
  const rest = [...intakes, ...again]
    .map((intake) => ({ intake, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ intake }) => intake)
  const batches: Intake[][] = []
  while (rest.length > 0) batches.push(rest.splice(0, 1 + Math.floor(random() * 4)))
  return batches
}

async function finalStateAfter(t: TestContext, url: DatabaseUrl, batches: readonly Intake[][]) {
  const store = await openFor(t, url)
  for (const batch of batches) await store.insert(batch)
  const state = await finalStateOf(store)
  await store.close()
  await assertSound(url)
  return state
}

describe('what happened to a few people', () => {
  for (const [seed, found] of HISTORIES) {
    it(`ends the same in any order on both engines: seed ${seed}, which found ${found}`, async (t) => {
      const random = randomFrom(seed)
      const intakes = randomHistory(random, HISTORY_LENGTH).map((change) => intakeWith(change))
      const inOrder = intakes.map((intake) => [intake])
      const expected = await finalStateAfter(t, newSqlite(t), inOrder)
      assert.deepEqual(await finalStateAfter(t, newSqlite(t), shuffled(intakes, random)), expected)
      const postgres = await newPostgres()
      assert.deepEqual(await finalStateAfter(t, postgres, shuffled(intakes, random)), expected)
    })
  }
})
