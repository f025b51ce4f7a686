import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Retention } from '../../../src/app/store/retention.ts'
import type { ExpiryStep } from '../../../src/app/store/store.ts'
import { until } from '../../support/until.ts'

const DAY_MS = 24 * 60 * 60 * 1000

test('what is older than so many days expires, part by part until nothing is left', async () => {
  const asked: number[] = []
  const left = ['more', 'more', 'more', 'done'] as const
  const retention = new Retention({
    days: 30,
    expire: async (before) => {
      asked.push(before)
      return left[asked.length - 1] ?? 'done'
    },
    onError: assert.ifError,
    onHeldUp: assert.fail,
  })
  retention.start()
  await until('all has expired', () => asked.length === left.length)
  retention.stop()
  assert.equal(asked.length, 4)
  for (const before of asked) assert.ok(Math.abs(Date.now() - 30 * DAY_MS - before) < 60_000)
})

test('a clock that is put forward by more than an hour lets nothing expire before its time', async (t) => {
  const start = Date.now()
  for (const [stepMs, believedMs] of [
    [10 * 60_000, 10 * 60_000],
    [400 * DAY_MS, 60 * 60_000],
    [-3 * 60 * 60_000, -3 * 60 * 60_000],
  ] as const) {
    t.mock.timers.enable({ apis: ['Date'], now: start })
    const asked: number[] = []
    const retention = new Retention({
      days: 30,
      expire: async (before) => {
        asked.push(before)
        return 'done'
      },
      onError: assert.ifError,
      onHeldUp: assert.fail,
    })
    t.mock.timers.setTime(start + stepMs)
    retention.start()
    await until('it has looked', () => asked.length === 1)
    retention.stop()
    t.mock.timers.reset()
    const believed = (asked[0] ?? 0) + 30 * DAY_MS - start
    assert.ok(Math.abs(believed - believedMs) < 60_000, `${stepMs}: ${believed}`)
  }
})

test('a machine that sleeps each night keeps nothing longer for it', async (t) => {
  const start = Date.now()
  const nightMs = 10 * 60 * 60_000
  t.mock.timers.enable({ apis: ['Date'], now: start })
  let uptimeMs = 7000
  const asked: number[] = []
  const retention = new Retention(
    {
      days: 30,
      expire: async (before) => {
        asked.push(before)
        return 'more'
      },
      onError: assert.ifError,
      onHeldUp: assert.fail,
    },
    () => uptimeMs,
  )
  t.after(() => retention.stop())
  for (let night = 1; night <= 3; night++) {
    t.mock.timers.setTime(start + night * nightMs)
    uptimeMs += nightMs
    if (night === 1) retention.start()
    const before = start + night * nightMs - 30 * DAY_MS
    await until('it has looked', () => asked.at(-1) === before)
  }
})

test('what holds it up says when to try again, however often, and at once when that has passed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const steps: ExpiryStep[] = []
  const heldUp = { heldBy: 'a read does not end', againMs: 4000 }
  let next: ExpiryStep = heldUp
  const retention = new Retention({
    days: 30,
    expire: async () => {
      steps.push(next)
      return next
    },
    onError: assert.ifError,
    onHeldUp: assert.fail,
  })
  const triesIn = async (seconds: number) => {
    const before = steps.length
    for (let second = 0; second < seconds; second++) {
      t.mock.timers.tick(1000)
      await nextTurn()
    }
    return steps.length - before
  }
  retention.start()
  assert.equal(await triesIn(60), 15)
  assert.equal(await triesIn(3600), 900)
  next = 'more'
  await triesIn(4)
  assert.ok((await triesIn(10)) >= 10, 'it goes on')
  next = { ...heldUp, againMs: 30_000 }
  assert.equal(await triesIn(60), 2)
  retention.stop()
})

test('what has kept bodies from expiring for a day is told, be it a reader or the clock', async (t) => {
  for (const [step, jumpMs, because] of [
    [{ heldBy: 'a read does not end', againMs: 60_000 }, 0, /^a read does not end$/],
    [
      'done',
      2 * 60 * 60_000,
      /^the clock of this machine was put forward .* start the service anew/,
    ],
    ['done', 30 * 60_000, null],
  ] as const) {
    const start = Date.now()
    t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: start })
    let uptimeMs = 0
    const told: string[] = []
    const retention = new Retention(
      {
        days: 30,
        expire: async () => step,
        onError: assert.ifError,
        onHeldUp: (heldBy, since) => {
          told.push(heldBy)
          assert.ok(Math.abs(since.getTime() - start - jumpMs) < 60 * 60_000)
        },
      },
      () => uptimeMs,
    )
    retention.start()
    t.mock.timers.setTime(start + jumpMs)
    for (let minutes = 0; minutes < 3 * 24 * 60; minutes += 10) {
      uptimeMs += 10 * 60_000
      t.mock.timers.tick(10 * 60_000)
      await nextTurn()
    }
    retention.stop()
    t.mock.timers.reset()
    assert.equal(told.length, because === null ? 0 : 1)
    if (because !== null) assert.match(told[0] ?? '', because)
  }
})

test('an error is told, and with 0 days nothing is ever asked', async () => {
  const errors: unknown[] = []
  const failing = new Retention({
    days: 1,
    expire: () => Promise.reject(new Error('locked')),
    onError: (error) => errors.push(error),
    onHeldUp: assert.fail,
  })
  failing.start()
  await until('the error is told', () => errors.length === 1)
  failing.stop()
  const never = new Retention({
    days: 0,
    expire: async () => assert.fail(),
    onError: assert.ifError,
    onHeldUp: assert.fail,
  })
  never.start()
  await new Promise((resolve) => setTimeout(resolve, 100))
  never.stop()
})

test('it looks again ten minutes after a pass has ended, or could not', async (t) => {
  for (const outcome of ['done', 'error'] as const) {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let looks = 0
    const retention = new Retention({
      days: 1,
      expire: async () => {
        looks++
        if (outcome === 'error') throw new Error('locked')
        return outcome
      },
      onError: () => {},
      onHeldUp: assert.fail,
    })
    const pass = async (ms: number) => {
      t.mock.timers.tick(ms)
      await nextTurn()
      return looks
    }
    retention.start()
    assert.equal(await pass(50), 1)
    assert.deepEqual([await pass(10 * 60_000 - 1), await pass(1)], [1, 2], outcome)
    retention.stop()
    t.mock.timers.reset()
  }
})

test('what is given up because the store is being closed is no error', async () => {
  const giveUp = Promise.withResolvers<ExpiryStep>()
  let asked = false
  const retention = new Retention({
    days: 1,
    expire: () => {
      asked = true
      return giveUp.promise
    },
    onError: assert.ifError,
    onHeldUp: assert.fail,
  })
  retention.start()
  await until('it expires', () => asked)
  retention.stop()
  giveUp.reject(new Error('closed'))
  await nextTurn()
})
