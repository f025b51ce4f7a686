import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError, StoreUnavailableError } from '../../../src/app/errors.ts'
import { CauseLog } from '../../../src/app/http/cause-log.ts'
import { CapturedLog } from '../../support/captured-log.ts'

const MINUTE_MS = 60_000

function observed() {
  const captured = new CapturedLog()
  const clock = { nowMs: 0 }
  const causes = new CauseLog(captured.log, () => clock.nowMs)
  const fail = (reason: string, code: AppError['code'] = 'reads_unavailable') =>
    causes.failed(new AppError(code, { cause: new StoreUnavailableError(reason) }), 'a-request')
  const told = () =>
    captured.entries.map(({ msg, err, suppressed }) => {
      return [msg, (err as { reason: string }).reason, suppressed]
    })
  return { captured, clock, causes, fail, told }
}

test('a cause is said at once, and again once a minute with how often it was left out', () => {
  const { captured, clock, fail, told } = observed()
  for (; clock.nowMs < 2 * MINUTE_MS; clock.nowMs += 1000) fail('refused')
  assert.deepEqual(told(), [
    ['reads_unavailable', 'refused', undefined],
    ['reads_unavailable', 'refused', 59],
  ])
  assert.equal(captured.where({ level: 'warn', request_id: 'a-request' }).length, 2)
})

test('another cause, or another answer, is said at once, and no two that take turns more often', () => {
  const { fail, told } = observed()
  for (let i = 0; i < 10; i++) {
    fail('refused')
    fail('starting up')
    fail('refused', 'store_unavailable')
  }
  assert.deepEqual(told(), [
    ['reads_unavailable', 'refused', undefined],
    ['reads_unavailable', 'starting up', undefined],
    ['store_unavailable', 'refused', undefined],
  ])
})

test('of an error without a cause nothing is said', () => {
  const { captured, causes } = observed()
  causes.failed(new AppError('reads_overloaded'), 'a-request')
  assert.deepEqual(captured.entries, [])
})
