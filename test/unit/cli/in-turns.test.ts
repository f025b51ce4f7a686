import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inTurns } from '../../../src/app/cli/send-many.ts'

const never = new AbortController().signal

describe('inTurns', () => {
  it('has as many under way as asked for, and no more', async () => {
    let [underWay, most, done] = [0, 0, 0]
    await inTurns(
      { count: 20, rate: Number.POSITIVE_INFINITY, concurrency: 3 },
      never,
      async () => {
        most = Math.max(most, ++underWay)
        await nextTurn()
        underWay--
        done++
      },
    )
    assert.deepEqual({ most, done }, { most: 3, done: 20 })
  })

  it('begins no piece of work before its time', async () => {
    const begun: number[] = []
    const start = performance.now()
    await inTurns({ count: 4, rate: 20, concurrency: 4 }, never, async () => {
      begun.push(performance.now() - start)
    })
    for (const [n, ms] of begun.entries()) assert.ok(ms >= n * 50 - 2, `${n} after ${ms} ms`)
  })

  it('begins nothing more once it is stopped', async () => {
    const stop = new AbortController()
    let begun = 0
    await inTurns(
      { count: 100, rate: Number.POSITIVE_INFINITY, concurrency: 1 },
      stop.signal,
      async () => {
        if (++begun === 5) stop.abort()
        await nextTurn()
      },
    )
    assert.equal(begun, 5)
  })
})
