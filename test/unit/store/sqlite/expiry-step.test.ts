import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Look } from '../../../../src/app/store/sqlite/expiry.ts'
import { expireStep } from '../../../../src/app/store/sqlite/expiry-step.ts'

/** A step where a look ends so; with whether it came to a deletion. */
async function stepAfter(seen: Look, { isLogFree = true, hasRoom = true } = {}) {
  let deletions = 0
  const step = await expireStep({
    look: async () => seen,
    restartLog: async () => isLogFree,
    deleteFound: async () => {
      deletions++
      return hasRoom
    },
  })
  return { step, deletions }
}

describe('a step of the expiry', () => {
  it('is followed by the next one until a pass has ended, also where it found nothing', async () => {
    assert.deepEqual(await stepAfter('none'), { step: 'more', deletions: 0 })
    assert.deepEqual(await stepAfter('found'), { step: 'more', deletions: 1 })
    assert.deepEqual(await stepAfter('end'), { step: 'done', deletions: 0 })
  })

  it('deletes nothing while a reader keeps the log from beginning anew, and says so', async () => {
    const { step, deletions } = await stepAfter('found', { isLogFree: false })
    assert.ok(typeof step !== 'string' && step.heldBy.startsWith('a read of the database file'))
    assert.equal(deletions, 0)
  })

  it('says so where the disk has no room for it', async () => {
    const { step } = await stepAfter('found', { hasRoom: false })
    assert.ok(typeof step !== 'string' && step.heldBy.startsWith('the disk of the database'))
  })
})
