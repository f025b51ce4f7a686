// One definition of the tests: the README's command, which .ci/run runs and GitHub calls.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { ROOT, readRepositoryFile } from './repository.ts'

type Workflow = {
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly 'timeout-minutes': number
        readonly steps: readonly { readonly uses?: string; readonly run?: string }[]
      }
    >
  >
}

describe('.ci/run', () => {
  test('ends with the README’s test command', () => {
    const [last] = readRepositoryFile('.ci/run').trimEnd().split('\n').slice(-1)
    assert.equal(last, 'npm ci && npm test')
    assert.match(readRepositoryFile('README.md'), new RegExp(`^${last}$`, 'm'))
  })

  test('is a program that the shell understands and that stops at the first failure', () => {
    const script = join(ROOT, '.ci/run')
    assert.equal(statSync(script).mode & 0o100, 0o100)
    execFileSync('bash', ['-n', script])
    assert.match(readRepositoryFile('.ci/run'), /^set -euo pipefail$/m)
  })
})

describe('the GitHub workflow', () => {
  const workflow = parse(readRepositoryFile('.github/workflows/ci.yml')) as Workflow
  const jobs = Object.values(workflow.jobs)

  test('runs .ci/run and nothing else', () => {
    const commands = jobs.flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
    assert.deepEqual(commands, ['bash .ci/run'])
  })

  test('may read the repository and no more, for a limited time', () => {
    assert.deepEqual(workflow.permissions, { contents: 'read' })
    for (const job of jobs) assert.ok(job['timeout-minutes'] > 0)
  })
})
