import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError } from '../../src/app/errors.ts'
import { OutageLog } from '../../src/app/outage-log.ts'
import { CapturedLog } from '../support/captured-log.ts'

const MINUTE_MS = 60_000
const FAILED = 'it failed; it is tried again'
const ENDED = 'it works again'

function observed() {
  const captured = new CapturedLog()
  const clock = { nowMs: 0 }
  const outage = new OutageLog(captured.log, () => clock.nowMs)
  const fail = (reason: string, what = FAILED) =>
    outage.failed(what, new StoreUnavailableError(reason), { request_id: 'a-request' })
  const told = () =>
    captured.where({ level: 'warn', request_id: 'a-request' }).map(({ msg, err, suppressed }) => {
      return [msg, (err as { reason: string }).reason, suppressed]
    })
  return { captured, clock, outage, fail, told }
}

describe('the log of an outage', () => {
  it('says the same reason again once a minute, with how often it was left out', () => {
    const { clock, fail, told } = observed()
    for (; clock.nowMs < 2 * MINUTE_MS; clock.nowMs += 1000) fail('refused')
    clock.nowMs = 3 * MINUTE_MS
    fail('refused')
    clock.nowMs = 4 * MINUTE_MS
    fail('refused')
    assert.deepEqual(told(), [
      [FAILED, 'refused', undefined],
      [FAILED, 'refused', 59],
      [FAILED, 'refused', 59],
      [FAILED, 'refused', undefined],
    ])
  })

  it('says another reason at once, or of another failure, and none that take turns more often', () => {
    const { clock, fail, told } = observed()
    for (; clock.nowMs < MINUTE_MS; clock.nowMs += 1000) {
      fail('refused')
      fail('starting up')
      fail('refused', 'another one failed')
    }
    assert.deepEqual(told(), [
      [FAILED, 'refused', undefined],
      [FAILED, 'starting up', undefined],
      ['another one failed', 'refused', undefined],
    ])
  })

  it('says that it is over, and begins anew with the next one', () => {
    const { captured, outage, fail, told } = observed()
    outage.ended(ENDED)
    fail('refused')
    outage.ended(ENDED)
    outage.ended(ENDED)
    fail('refused')
    assert.deepEqual(told(), [
      [FAILED, 'refused', undefined],
      [FAILED, 'refused', undefined],
    ])
    assert.equal(captured.where({ level: 'info', msg: ENDED }).length, 1)
  })
})
