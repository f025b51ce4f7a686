import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { Expiry } from '../../../../src/app/store/sqlite/expiry.ts'

const BEFORE = 1000
const DUE = BEFORE - 1
const KEPT = BEFORE

/** So many bodies that arrived then, one behind the other. */
type Run = readonly [count: number, receivedAt: number]

function intakesOf(test: TestContext, runs: readonly Run[]) {
  const database = new DatabaseSync(':memory:')
  test.after(() => database.close())
  database.exec('create table intakes (id integer primary key, received_at integer not null)')
  const insert = database.prepare('insert into intakes (received_at) values (?)')
  for (const [count, receivedAt] of runs) {
    for (let n = 0; n < count; n++) insert.run(receivedAt)
  }
  const count = (receivedAt: number) =>
    Number(
      database.prepare('select count(*) as n from intakes where received_at = ?').get(receivedAt)?.[
        'n'
      ],
    )
  return { database, count }
}

/** Steps to the end of a pass; returns what each of them deleted. */
function pass(expiry: Expiry, count: (receivedAt: number) => number): number[] {
  const deleted: number[] = []
  for (let more = true; more; ) {
    const before = count(DUE)
    more = expiry.step(BEFORE)
    deleted.push(before - count(DUE))
  }
  return deleted
}

describe('bodies expire', () => {
  it('in one pass where they came in the order of time, fewer than 1000 a step', (test) => {
    const { database, count } = intakesOf(test, [
      [7777, DUE],
      [3333, KEPT],
    ])
    const steps = pass(new Expiry(database), count)
    assert.deepEqual([count(DUE), count(KEPT)], [0, 3333])
    assert.ok(steps.every((deleted) => deleted < 1000))
    assert.ok(steps.length < 20, 'what is kept is not looked at one by one')
  })

  it('in one pass wherever 500 are in a row', (test) => {
    for (let ahead = 400; ahead < 1400; ahead += 111) {
      const { database, count } = intakesOf(test, [
        ...[ahead, 1500, 2 * ahead].flatMap((kept): Run[] => [
          [kept, KEPT],
          [500, DUE],
        ]),
        [600, KEPT],
      ])
      pass(new Expiry(database), count)
      assert.equal(count(DUE), 0)
    }
  })

  it('in as many passes as it takes where a clock went back and forth', (test) => {
    const { database, count } = intakesOf(test, [
      [600, KEPT],
      [4000, DUE],
      ...Array.from({ length: 40 }, (_, i): Run[] => [
        [100 + i, KEPT],
        [1 + i, DUE],
      ]).flat(),
      [700, KEPT],
    ])
    const kept = count(KEPT)
    const expiry = new Expiry(database)
    for (let passes = 0; passes < 500 && count(DUE) > 0; passes++) {
      assert.ok(pass(expiry, count).every((deleted) => deleted < 1000))
    }
    assert.deepEqual([count(DUE), count(KEPT)], [0, kept])
  })
})
