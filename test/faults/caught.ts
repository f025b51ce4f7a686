// What a twin with a guard taken out has to show.
import assert from 'node:assert/strict'

/** Asserts that the checker has found acknowledged messages missing. */
export function assertLossCaught(found: readonly string[]): void {
  assert.ok(
    found.some((anomaly) => anomaly.includes('is lost')),
    found.join('\n'),
  )
}
