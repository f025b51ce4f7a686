import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { costOf } from '../../../../src/app/model/cost.ts'
import { BatchTime } from '../../../../src/app/store/postgres/batch-time.ts'
import { aMessage, intakeOf } from '../../../support/a-message.ts'

describe('the time of a batch', () => {
  it('is longer by what its bodies and events cost, and much longer where each is stored alone', (t) => {
    t.mock.method(performance, 'now', () => 1000)
    const small = new BatchTime(0)
    const large = new BatchTime(8000 * 4096)
    assert.equal(large.msOfTry, small.msOfTry + 8000)
    assert.equal(large.msOfLook, small.msOfLook)
    large.takesEachAlone()
    assert.equal(large.msOfTry, small.msOfTry + 32_000)
  })

  it('ends with a last try, however long it took', (t) => {
    let now = 0
    t.mock.method(performance, 'now', () => now)
    const time = new BatchTime(1000 * 4096)
    assert.equal(time.msOfTry, 3000)
    now = 3900
    assert.equal(time.msOfTry, 1500)
    assert.ok(time.hasTimeAfter(1000))
    now = 5000
    assert.equal(time.msOfTry, 1500)
    assert.ok(!time.hasTimeAfter(1))
  })

  it('counts an event as a body of four kilobytes', () => {
    const intake = intakeOf(aMessage())
    assert.equal(costOf(intake), intake.body.byteLength + 4096)
  })
})
