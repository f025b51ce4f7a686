import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError } from '../../../../src/app/errors.ts'
import { isWorthAnotherTry, storeError } from '../../../../src/app/store/postgres/faults.ts'

/** As the driver gives on what a server answers. */
function answered(code: string): Error {
  const detail = 'Key (message_id)=(canary) already exists.'
  return Object.assign(new Error('canary'), { code, detail, severity: 'ERROR', table: 'messages' })
}

/** With which the server ends a connection whose transaction took too long, or stood still. */
const ENDS_CONNECTION = ['25P03', '25P04']

describe('what PostgreSQL answers', () => {
  const passing = ['28P01', '28000', '3D000', '42501', '25006', '40001', '53300', '57P01']
  for (const code of [...passing, ...ENDS_CONNECTION]) {
    it(`${code} is a fault that may pass: 503, and not a failure of one request`, () => {
      assert.ok(storeError(answered(code)) instanceof StoreUnavailableError)
    })
  }

  for (const code of ['22001', '23505', '42601', 'XX000']) {
    it(`${code} is one of the program or of what it was given`, () => {
      const error = storeError(answered(code))
      assert.ok(error instanceof Error && !(error instanceof StoreUnavailableError))
    })
  }

  for (const code of ENDS_CONNECTION) {
    it(`${code} is the end of a connection: what was under way on it is tried on another one`, () => {
      assert.equal(isWorthAnotherTry(answered(code)), true)
    })
  }

  it('is told by its code, which is all that a log shows, and never in the words of the server', () => {
    for (const code of ['28P01', '23505']) {
      const error = storeError(answered(code)) as Error & { code?: string }
      assert.equal(error.code, code)
      assert.equal(error.message, `PostgreSQL answered ${code} (messages).`)
      assert.equal(error.cause, undefined)
    }
  })
})
