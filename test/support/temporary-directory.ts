// A directory for one test, kept for a look at it when the test fails.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A new directory that is removed after the test if it passed. */
export function temporaryDirectory(test: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'webhook-test-'))
  test.after(() => {
    if (test.passed) rmSync(directory, { recursive: true, force: true })
    else test.diagnostic(`its files are in ${directory}`)
  })
  return directory
}
