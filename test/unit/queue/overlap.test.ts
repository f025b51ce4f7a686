import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Overlap } from '../../../src/app/queue/overlap.ts'

/** One that has seen these batches, each of which took 10 ms; the last one ended at 1000 ms. */
function after(...batches: number[]): Overlap {
  const overlap = new Overlap()
  for (const [i, items] of batches.entries()) {
    const end = 1000 - 10 * (batches.length - 1 - i)
    overlap.began(items, end - 10)
    overlap.ended(end)
  }
  return overlap
}

describe('Overlap', () => {
  it('lets a batch begin with half of those who were in the last two', () => {
    for (const [batches, half] of [
      [[1, 63], 32],
      [[64, 64], 64],
      [[56, 8], 32],
      [[20, 20], 20],
    ] as const) {
      const overlap = after(...batches)
      assert.deepEqual([overlap.isDue(half - 1, 1010), overlap.isDue(half, 1010)], [false, true])
    }
  })

  it('does not while the writer has waited for less than half of what its last commit took', () => {
    const overlap = after(64, 0)
    assert.deepEqual([overlap.isDue(32, 1004.9), overlap.isDue(32, 1005)], [false, true])
  })

  it('does not for a few', () => {
    const overlap = after(1, 1)
    assert.deepEqual([overlap.isDue(7, 2000), overlap.isDue(8, 2000)], [false, true])
  })
})
