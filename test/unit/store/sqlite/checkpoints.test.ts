import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Checkpoints } from '../../../../src/app/store/sqlite/checkpoints.ts'

type Step = { readonly name: string; readonly done: () => void; readonly fail: () => void }

/** Checkpoints whose steps end when the test says so. */
function someCheckpoints() {
  const steps: Step[] = []
  const step = (name: string) => () =>
    new Promise<void>((resolve, reject) => {
      steps.push({ name, done: resolve, fail: () => reject(new Error('disk full')) })
    })
  const restart = () => step('all')().then(() => true)
  const checkpoints = new Checkpoints({ copyMost: step('most'), finish: step('rest'), restart })
  const names = () => steps.map(({ name }) => name)
  return { checkpoints, steps, names }
}

describe('checkpoints', () => {
  it('leave a short log alone', () => {
    const { checkpoints, names } = someCheckpoints()
    checkpoints.grown(7999)
    assert.deepEqual(names(), [])
  })

  it('copy a long log beside the writer, and what came meanwhile, then let the writer copy the rest', async () => {
    const { checkpoints, steps, names } = someCheckpoints()
    checkpoints.grown(8000)
    assert.deepEqual(names(), ['most'])
    steps[0]?.done()
    await nextTurn()
    assert.deepEqual(names(), ['most', 'most'])
    steps[1]?.done()
    await nextTurn()
    assert.deepEqual(names(), ['most', 'most', 'rest'])
    steps[2]?.done()
    await checkpoints.close()
  })

  it('do one copy at a time, and the next one when it is due again', async () => {
    const { checkpoints, steps, names } = someCheckpoints()
    checkpoints.grown(8000)
    checkpoints.grown(8100)
    assert.deepEqual(names(), ['most'])
    steps[0]?.done()
    await nextTurn()
    checkpoints.grown(8200)
    steps[1]?.done()
    await nextTurn()
    checkpoints.grown(8300)
    steps[2]?.done()
    await nextTurn()
    checkpoints.grown(9000)
    assert.deepEqual(names(), ['most', 'most', 'rest', 'most'])
  })

  it('make the writer copy a log that grows too long while the other copy is held up', async () => {
    const { checkpoints, names } = someCheckpoints()
    checkpoints.grown(8000)
    checkpoints.grown(32_000)
    checkpoints.grown(32_100)
    assert.deepEqual(names(), ['most', 'rest'])
  })

  it('let the log begin anew after a copy that is under way, beside the writer first', async () => {
    const { checkpoints, steps, names } = someCheckpoints()
    checkpoints.grown(8000)
    const restarted = checkpoints.restartLog()
    for (const step of [0, 1, 2]) {
      steps[step]?.done()
      await nextTurn()
    }
    assert.deepEqual(names(), ['most', 'most', 'rest', 'most'])
    steps[3]?.fail()
    await nextTurn()
    assert.equal(names().at(-1), 'all')
    steps[4]?.done()
    assert.equal(await restarted, true)
    const failed = checkpoints.restartLog()
    await nextTurn()
    steps[5]?.done()
    await nextTurn()
    steps[6]?.fail()
    await assert.rejects(failed, /disk full/)
  })

  it('try again after a failure', async () => {
    const { checkpoints, steps, names } = someCheckpoints()
    checkpoints.grown(8000)
    for (const step of [0, 1, 2]) {
      steps[step]?.fail()
      await nextTurn()
    }
    checkpoints.grown(8000)
    for (const step of [3, 4]) {
      steps[step]?.done()
      await nextTurn()
    }
    assert.deepEqual(names(), ['most', 'most', 'rest', 'most', 'most', 'rest'])
  })

  it('are closed once nothing is being copied any more, by whomever', async () => {
    for (const frames of [8000, 32_000]) {
      const { checkpoints, steps } = someCheckpoints()
      checkpoints.grown(frames)
      let isClosed = false
      const closing = checkpoints.close().then(() => {
        isClosed = true
      })
      for (let step = 0; step < steps.length; step++) {
        await nextTurn()
        assert.equal(isClosed, false)
        steps[step]?.done()
        await nextTurn()
      }
      await closing
    }
  })
})
