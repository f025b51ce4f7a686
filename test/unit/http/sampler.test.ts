import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Sampler } from '../../../src/app/http/sampler.ts'

test('as many events a second pass as are allowed, and no more', () => {
  const sampler = new Sampler(2, () => 1500)
  assert.deepEqual([sampler.pass(), sampler.pass(), sampler.pass()], [0, 0, null])
})

test('the first event that passes after a flood says how many did not', () => {
  let nowMs = 0
  const sampler = new Sampler(1, () => nowMs)
  assert.equal(sampler.pass(), 0)
  for (let i = 0; i < 7; i++) assert.equal(sampler.pass(), null)
  nowMs = 999
  assert.equal(sampler.pass(), null)
  nowMs = 1000
  assert.equal(sampler.pass(), 8)
  nowMs = 2000
  assert.equal(sampler.pass(), 0)
})

test('every event is either passed or counted by one that passed later', () => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(3000), events: fc.nat(30) }))
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 10 }), (floods, perSecond) => {
      let nowMs = 0
      const sampler = new Sampler(perSecond, () => nowMs)
      const seconds = new Map<number, number>()
      let sent = 0
      let accounted = 0
      for (const { waitMs, events } of [...floods, { waitMs: 1000, events: 1 }]) {
        nowMs += waitMs
        for (let i = 0; i < events; i++) {
          sent++
          const suppressed = sampler.pass()
          if (suppressed === null) continue
          accounted += suppressed + 1
          const second = Math.floor(nowMs / 1000)
          seconds.set(second, (seconds.get(second) ?? 0) + 1)
        }
      }
      assert.equal(accounted, sent)
      assert.ok([...seconds.values()].every((passed) => passed <= perSecond))
    }),
  )
})
