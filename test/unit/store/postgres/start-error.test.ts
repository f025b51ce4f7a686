import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startError } from '../../../../src/app/store/postgres/connection-faults.ts'
import { UnusableDatabaseError } from '../../../../src/app/store/postgres/opening.ts'
import { SchemaMismatchError } from '../../../../src/app/store/postgres/schema.ts'

const URL = 'postgresql://u:canary@db.example/app'

/** The kind of error that a start ends with. */
function kindFor(cause: Error | undefined): string {
  const error = startError(URL, new UnusableDatabaseError('It is so.', { cause }))
  assert.match(error.message, /^The PostgreSQL database can't be used: .*[.?]$/)
  assert.doesNotMatch(error.message, /canary/)
  return error.name
}

const withCode = (code: string) => Object.assign(new Error('It is so'), { code })
const answered = (code: string) => Object.assign(withCode(code), { severity: 'ERROR' })

test('what only another configuration or version mends is a fault of the configuration', () => {
  const causes = [
    undefined,
    new SchemaMismatchError('Start a newer version'),
    ...['28P01', '28000', '3D000', '42501', '42P07'].map(answered),
    withCode('CERT_HAS_EXPIRED'),
    new Error('SASL: client password must be a string'),
  ]
  for (const cause of causes) assert.equal(kindFor(cause), 'ConfigurationError')
})

test('a clock that is not set yet, and what nobody foresaw, may be gone at the next start', () => {
  for (const cause of [withCode('CERT_NOT_YET_VALID'), answered('XX000'), new Error('It is so')]) {
    assert.equal(kindFor(cause), 'Error')
  }
})
