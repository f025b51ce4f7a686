import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CatchUp } from '../../../src/app/store/catch-up.ts'
import { until } from '../../support/until.ts'

describe('catching up with what was committed', () => {
  it('goes on until nothing is left, and rests until it is woken', async () => {
    let left = 3
    let chunks = 0
    const catchUp = new CatchUp({
      step: async () => {
        chunks++
        return --left
      },
      onError: assert.ifError,
    })
    await nextTurn()
    assert.equal(chunks, 0)
    catchUp.wake()
    await catchUp.close()
    assert.ok(chunks >= 1)
  })

  it('does not miss what arrives while it is at work', async () => {
    let waiting = 1
    const indexed: number[] = []
    const catchUp = new CatchUp({
      step: async () => {
        indexed.push(waiting)
        waiting = 0
        if (indexed.length === 1) {
          waiting = 5
          catchUp.wake()
        }
        return 0
      },
      onError: assert.ifError,
    })
    catchUp.wake()
    while (indexed.length < 2) await nextTurn()
    assert.deepEqual(indexed.slice(0, 2), [1, 5])
    await catchUp.close()
  })

  it('does not miss what arrives just when it comes to rest, however many microtasks after', async () => {
    for (let microtasks = 0; microtasks <= 15; microtasks++) {
      let waiting = 0
      const catchUp = new CatchUp({
        step: async () => {
          waiting = 0
          return 0
        },
        onError: assert.ifError,
      })
      catchUp.wake()
      for (let i = 0; i < microtasks; i++) await null
      waiting = 1
      catchUp.wake()
      await until(`what came ${microtasks} microtasks later is done`, () => waiting === 0)
      await catchUp.close()
    }
  })

  it('reports an error and can be closed while it waits to try again', async () => {
    const errors: unknown[] = []
    const failure = new Error('locked')
    const catchUp = new CatchUp({
      step: () => Promise.reject(failure),
      onError: (error) => errors.push(error),
    })
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    catchUp.wake()
    while (errors.length === 0) await nextTurn()
    await catchUp.close()
    assert.deepEqual(errors, [failure])
    // Others of the process may have ended meanwhile.
    assert.ok(timers() <= before, 'nothing keeps the process from ending')
  })

  it('says when a part was done, and not when one failed', async () => {
    const told: string[] = []
    let tries = 0
    const catchUp = new CatchUp({
      step: async () => {
        if (++tries === 2) throw new Error('locked')
        return tries === 1 ? 1 : 0
      },
      onError: () => told.push('error'),
      onDone: () => told.push('done'),
    })
    catchUp.wake()
    await until('it has gone on', () => told.length === 3)
    await catchUp.close()
    assert.deepEqual(told, ['done', 'error', 'done'])
  })

  it('pauses for a second at most after a part that took minutes, or failed, while messages arrive', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let nowMs = 0
    t.mock.method(performance, 'now', () => nowMs)
    let parts = 0
    const errors: unknown[] = []
    const catchUp = new CatchUp({
      step: async () => {
        await null
        parts++
        nowMs += 10 * 60_000
        catchUp.wake()
        if (parts % 2 === 0) throw new Error('no answer')
        return 1
      },
      onError: (error) => errors.push(error),
    })
    catchUp.wake()
    for (let seconds = 0; seconds < 10; seconds++) {
      await nextTurn()
      assert.equal(parts, seconds + 1)
      t.mock.timers.tick(999)
      await nextTurn()
      assert.equal(parts, seconds + 1, 'and for no less')
      t.mock.timers.tick(1)
    }
    assert.equal(errors.length, 5)
    await catchUp.close()
  })

  it('pauses for nine times as long as a part took, while messages arrive', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let nowMs = 0
    t.mock.method(performance, 'now', () => nowMs)
    let parts = 0
    const catchUp = new CatchUp({
      step: async () => {
        await null
        parts++
        nowMs += 10
        catchUp.wake()
        return 1
      },
      onError: assert.ifError,
    })
    catchUp.wake()
    await nextTurn()
    t.mock.timers.tick(89)
    await nextTurn()
    assert.equal(parts, 1)
    t.mock.timers.tick(1)
    await nextTurn()
    assert.equal(parts, 2)
    await catchUp.close()
  })

  it('pauses neither while nothing arrives nor while much is left', async (t) => {
    const MUCH = 100_000
    for (const { left, arrives, pauses } of [
      { left: 1, arrives: false, pauses: false },
      { left: 1, arrives: true, pauses: true },
      { left: MUCH - 1, arrives: true, pauses: true },
      { left: MUCH, arrives: true, pauses: false },
    ]) {
      t.mock.timers.enable({ apis: ['setTimeout'] })
      let parts = 0
      const catchUp = new CatchUp({
        step: async () => {
          await nextTurn()
          parts++
          if (arrives) catchUp.wake()
          return left
        },
        onError: assert.ifError,
      })
      catchUp.wake()
      for (let turns = 0; turns < 10; turns++) await nextTurn()
      assert.equal(parts === 1, pauses, `${left} left, ${parts} parts`)
      await catchUp.close()
      t.mock.timers.reset()
    }
  })

  it('is closed once the part that is under way has ended, and begins no other', async () => {
    const { promise, resolve } = Promise.withResolvers<number>()
    let parts = 0
    const catchUp = new CatchUp({
      step: () => {
        parts++
        return promise
      },
      onError: assert.ifError,
    })
    catchUp.wake()
    let isClosed = false
    const closing = catchUp.close().then(() => {
      isClosed = true
    })
    await nextTurn()
    assert.equal(isClosed, false)
    resolve(1)
    await closing
    assert.equal(parts, 1)
  })

  it('is closed as soon where that part fails: nothing is tried again', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { promise, reject } = Promise.withResolvers<number>()
    const errors: unknown[] = []
    const catchUp = new CatchUp({ step: () => promise, onError: (error) => errors.push(error) })
    catchUp.wake()
    const closing = catchUp.close()
    reject(new Error('locked'))
    await closing
    assert.equal(errors.length, 1)
  })

  it('does nothing once it is closed', async () => {
    let chunks = 0
    const catchUp = new CatchUp({
      step: async () => {
        chunks++
        return 0
      },
      onError: assert.ifError,
    })
    await catchUp.close()
    catchUp.wake()
    await nextTurn()
    assert.equal(chunks, 0)
  })
})
