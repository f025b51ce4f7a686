import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError } from '../../src/app/errors.ts'
import { OutageLog } from '../../src/app/outage-log.ts'
import { CapturedLog } from '../support/captured-log.ts'

const MINUTE_MS = 60_000
const WORDS = { failed: 'it failed; it is tried again', ended: 'it works again' }

function observed() {
  const captured = new CapturedLog()
  const clock = { nowMs: 0 }
  const outage = new OutageLog(captured.log, WORDS, () => clock.nowMs)
  const fail = (reason: string) => outage.failed(new StoreUnavailableError(reason))
  const reasons = () =>
    captured.where({ level: 'warn' }).map(({ err }) => (err as { reason: string }).reason)
  return { captured, clock, outage, fail, reasons }
}

describe('the log of an outage', () => {
  it('says the same reason again once a minute', () => {
    const { clock, fail, reasons } = observed()
    for (; clock.nowMs < 3 * MINUTE_MS; clock.nowMs += 1000) fail('refused')
    assert.deepEqual(reasons(), ['refused', 'refused', 'refused'])
  })

  it('says another reason at once, and no two that take turns more often', () => {
    const { clock, fail, reasons } = observed()
    for (; clock.nowMs < MINUTE_MS; clock.nowMs += 1000) {
      fail('refused')
      fail('starting up')
    }
    assert.deepEqual(reasons(), ['refused', 'starting up'])
  })

  it('says that it is over, and begins anew with the next one', () => {
    const { captured, outage, fail, reasons } = observed()
    outage.ended()
    fail('refused')
    outage.ended()
    outage.ended()
    fail('refused')
    assert.deepEqual(reasons(), ['refused', 'refused'])
    assert.equal(captured.where({ level: 'warn', msg: WORDS.failed }).length, 2)
    assert.equal(captured.where({ level: 'info', msg: WORDS.ended }).length, 1)
  })
})
