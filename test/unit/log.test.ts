import assert from 'node:assert/strict'
import { it } from 'node:test'
import { StoreFailedError, StoreUnavailableError } from '../../src/app/errors.ts'
import { CapturedLog } from '../support/captured-log.ts'

it('an error is logged by its kind and place, and never by its words, whatever they look like', () => {
  const captured = new CapturedLog()
  const cause = new Error('canary')
  captured.log.error(
    { err: new TypeError('It says:\n    at canary\n    at canary:1', { cause }) },
    'it failed',
  )
  captured.assertFreeOf(['canary'])
  const [{ err } = {}] = captured.entries as {
    err: { type: string; stack: string[]; cause: object }
  }[]
  assert.equal(err?.type, 'TypeError')
  assert.match(err.stack[0] ?? '', /^at .*log\.test\.ts:\d+:\d+/)
  assert.ok('stack' in err.cause)
})

it('a store that fails is logged with its reason, a sentence of our own', () => {
  const captured = new CapturedLog()
  const cause = new Error('canary')
  captured.log.warn({ err: new StoreUnavailableError('It is full.', { cause }) }, 'not stored')
  captured.log.fatal({ err: new StoreFailedError('It was not flushed.', { cause }) }, 'ending')
  captured.assertFreeOf(['canary'])
  const reasons = captured.entries.map(({ err }) => (err as { reason?: string }).reason)
  assert.deepEqual(reasons, ['It is full.', 'It was not flushed.'])
})
