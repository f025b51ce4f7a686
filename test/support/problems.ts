// What a request was refused for.
import assert from 'node:assert/strict'
import { type Problem, ValidationError } from '../../src/app/errors.ts'

/** The problems that `parse` names; fails where it names none or throws anything else. */
export function problemsOf(parse: () => unknown): readonly Problem[] {
  try {
    parse()
  } catch (error) {
    assert.ok(error instanceof ValidationError, `Not a ValidationError: ${error}`)
    assert.ok(error.problems.length > 0)
    return error.problems
  }
  assert.fail('It was taken.')
}

/** Runs `parse` and takes a ValidationError for an answer, but no other error. */
export function isTaken(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch (error) {
    assert.ok(error instanceof ValidationError, `Not a ValidationError: ${error}`)
    return false
  }
}
