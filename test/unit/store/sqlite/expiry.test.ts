import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { Expiry } from '../../../../src/app/store/sqlite/expiry.ts'
import {
  FIRST_BODY_SQL,
  type FirstBody,
  mayHaveExpired,
} from '../../../../src/app/store/verify/kept-bodies.ts'

const BEFORE = 1000
const DUE = BEFORE - 1
const KEPT = BEFORE
const MIB = 1024 * 1024
/** On a disk that has enough, in bytes. */
const ROOM = 1024 * MIB

/** So many bodies that arrived then, one behind the other, of so many bytes. */
type Run = readonly [count: number, receivedAt: number, bytes?: number]

function intakesOf(test: TestContext, runs: readonly Run[]) {
  const database = new DatabaseSync(':memory:')
  test.after(() => database.close())
  database.exec(
    'create table intakes (id integer primary key, received_at integer not null, body blob not null)',
  )
  const insert = database.prepare('insert into intakes (received_at, body) values (?, zeroblob(?))')
  for (const [count, receivedAt, bytes = 100] of runs) {
    for (let n = 0; n < count; n++) insert.run(receivedAt, bytes)
  }
  const count = (receivedAt: number) =>
    Number(
      database.prepare('select count(*) as n from intakes where received_at = ?').get(receivedAt)?.[
        'n'
      ],
    )
  return { database, count }
}

/** Whether there was room to delete what is next. */
function deleteNext(expiry: Expiry, room: number): boolean {
  const next = expiry.next(BEFORE, room)
  assert.notEqual(next, null)
  if (next === null || next === 'no room') return false
  expiry.delete(next, BEFORE)
  return true
}

/** Steps to the end of a pass; returns what each of them deleted. */
function pass(expiry: Expiry, count: (receivedAt: number) => number): number[] {
  const deleted: number[] = []
  for (let look = expiry.look(BEFORE); look !== 'end'; look = expiry.look(BEFORE)) {
    const before = count(DUE)
    if (look === 'found') assert.equal(deleteNext(expiry, ROOM), true)
    deleted.push(before - count(DUE))
  }
  return deleted
}

describe('bodies expire', () => {
  it('so that whoever looks between two steps takes none of those that are gone for lost', (test) => {
    // Each came in a moment of its own; the last ones that expire lie before some that do not.
    const runs = Array.from({ length: 2345 }, (_, i): Run => [1, i, 20_000])
    const { database } = intakesOf(test, runs)
    const expiry = new Expiry(database)
    let steps = 0
    for (let look = expiry.look(BEFORE); look !== 'end'; look = expiry.look(BEFORE)) {
      if (look !== 'found' || !deleteNext(expiry, ROOM)) continue
      steps++
      const rows = database.prepare('select id from intakes').all() as { id: number }[]
      const there = new Set(rows.map(({ id }) => id))
      const first = database.prepare(FIRST_BODY_SQL).get() as FirstBody | undefined
      for (let id = 1; id <= runs.length; id++) {
        if (there.has(id)) continue
        assert.equal(
          mayHaveExpired({ intake: id, received_at: id - 1 }, first),
          true,
          `${id} after ${steps}`,
        )
      }
    }
    assert.ok(steps > 3)
  })

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

  it('in steps of 4 MiB, or of one body that is larger', (test) => {
    const { database, count } = intakesOf(test, [
      [20, DUE, MIB],
      [2, DUE, 5 * MIB],
      [3, KEPT],
      [30, DUE, 1.9 * MIB],
      [700, KEPT],
    ])
    const steps = pass(new Expiry(database), count).filter((deleted) => deleted > 0)
    assert.deepEqual(steps, [3, 3, 3, 3, 3, 3, 2, 1, 1, ...Array<number>(15).fill(2)])
    assert.equal(count(KEPT), 703)
  })

  it('as far as there is room, and the rest when there is more', (test) => {
    const { database, count } = intakesOf(test, [[9, DUE, MIB]])
    const expiry = new Expiry(database)
    assert.equal(expiry.look(BEFORE), 'found')
    assert.equal(deleteNext(expiry, MIB), false)
    assert.equal(count(DUE), 9)
    assert.equal(deleteNext(expiry, 2.5 * MIB), true)
    assert.equal(count(DUE), 7)
    pass(expiry, count)
    assert.equal(count(DUE), 0)
  })

  it('and are nowhere to be found once somebody else has deleted them, whatever room there is', (test) => {
    const { database } = intakesOf(test, [[9, DUE, MIB]])
    const expiry = new Expiry(database)
    assert.equal(expiry.look(BEFORE), 'found')
    database.exec('delete from intakes')
    assert.equal(expiry.next(BEFORE, 0), null)
    assert.equal(expiry.look(BEFORE), 'end')
    assert.equal(expiry.next(BEFORE, ROOM), null)
  })

  it('also where a deletion was undone', (test) => {
    const { database, count } = intakesOf(test, [[9, DUE, MIB]])
    const expiry = new Expiry(database)
    expiry.look(BEFORE)
    database.exec('begin')
    deleteNext(expiry, ROOM)
    database.exec('rollback')
    pass(expiry, count)
    assert.equal(count(DUE), 0)
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
