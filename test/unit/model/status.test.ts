import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Instant } from '../../../src/app/model/instant.ts'
import { currentStatus, type StatusMark } from '../../../src/app/model/status.ts'

const at = (status: string, second: number): StatusMark => ({
  status,
  instant: `2025-01-15T10:00:${String(second).padStart(2, '0')}` as Instant,
})

for (const [expected, ...history] of [
  [null],
  ['sent', at('sent', 1)],
  ['read', at('sent', 1), at('delivered', 2), at('read', 3)],
  ['read', at('read', 1)],
  ['read', at('read', 1), at('delivered', 5), at('sent', 9)],
  ['played', at('played', 2), at('read', 3)],
  ['failed', at('failed', 2), at('sent', 1)],
  ['failed', at('failed', 2), at('sent', 9)],
  ['failed', at('delivered', 1), at('failed', 2)],
  ['delivered', at('failed', 2), at('delivered', 3)],
  ['read', at('failed', 9), at('read', 3)],
  ['deleted', at('deleted', 1), at('read', 3), at('failed', 4)],
  ['warning', at('warning', 1)],
  ['sent', at('warning', 5), at('sent', 1)],
  ['queued', at('warning', 1), at('queued', 2)],
  // By their bytes, as PostgreSQL computes it; by UTF-16 units it would be the other one.
  ['\u{1f600}', at('\uffee', 1), at('\u{1f600}', 1)],
] as const) {
  const names = history.map(({ status }) => status).join(', ') || 'nothing'
  test(`${names} makes a message ${String(expected)}`, () => {
    assert.equal(currentStatus(history), expected)
  })
}

test('the order of arrival does not matter', () => {
  const aMark = fc
    .tuple(
      fc.constantFrom('sent', 'delivered', 'read', 'played', 'failed', 'deleted', 'other', 'more'),
      fc.nat(59),
    )
    .map(([status, second]) => at(status, second))
  const twoOrders = fc
    .array(aMark, { maxLength: 8 })
    .chain((marks) =>
      fc.tuple(
        fc.constant(marks),
        fc.shuffledSubarray(marks, { minLength: marks.length, maxLength: marks.length }),
      ),
    )
  fc.assert(
    fc.property(twoOrders, ([one, other]) => {
      assert.equal(currentStatus(one), currentStatus(other))
    }),
  )
})
