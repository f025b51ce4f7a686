import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeldUp } from '../../../src/app/store/held-up.ts'

const HOUR_MS = 60 * 60 * 1000

test('what holds something up for a day is told once, with its beginning, and again when it comes back', () => {
  let nowMs = 5000
  const told: [string, number][] = []
  const heldUp = new HeldUp(
    (heldBy, since) => told.push([heldBy, Math.round((Date.now() - since.getTime()) / HOUR_MS)]),
    () => nowMs,
  )
  const tryFor = (hours: number, heldBy: string | null) => {
    for (let hour = 0; hour < hours; hour++) {
      heldUp.tried(heldBy)
      nowMs += HOUR_MS
    }
  }
  tryFor(24, 'a backup runs')
  tryFor(1, null)
  tryFor(24, 'a backup runs')
  assert.deepEqual(told, [], 'what lasts for hours is nobody to be told of')
  tryFor(100, 'a shell is open')
  assert.deepEqual(told, [['a shell is open', 24]])
  tryFor(1, null)
  tryFor(30, 'a backup runs')
  assert.deepEqual(told.slice(1), [['a backup runs', 24]])
})
