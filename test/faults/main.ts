// The long form of the fault tests, and its report. The tests are those of `npm test` with more
// trials; what can't run on a machine is reported as skipped, never as passed.

import { readdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ENGINES } from '../support/engines.ts'

const HELP = `Usage: npm run test:faults -- [options]

  --only NAME    Only the files whose name has NAME in it.
  --seed N       The seed of every test, to repeat a run. Default: by the clock.
  --scale F      Trials as a share of the full numbers, 0 to 1. Default: 1.
  -h, --help     Show this text.

Writes docs/reliability.md, but not with --only. Some faults need root, strace, python3, ext4,
faketime and pgbouncer; without them they are reported as skipped. The whole takes an hour.
`

/** Longer than the longest file takes; a test that hangs is a failure. */
const FILE_TIMEOUT_MS = 3_600_000

type Outcome = {
  readonly name: string
  readonly seconds: number
  readonly result: 'passed' | 'FAILED' | 'skipped'
  readonly notes: string[]
}

type Ended = {
  readonly name: string
  readonly skip?: string | boolean
  readonly details: {
    readonly duration_ms: number
    readonly type?: string | undefined
    readonly error?: Error
  }
}

/** What the test runner itself says at its end, and the seed, which the report has at its top. */
const SUMMARY = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms|seed) /

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    scale: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await runAll()

/** The trials of each fault; the fsync calls are all of the first, one test each. */
function trials(): Record<string, string> {
  const scale = Number(values.scale)
  const count = (full: number) => String(Math.max(1, Math.round(full * scale)))
  const calls = Array.from({ length: Number(count(60)) }, (_, i) => i + 1)
  const someCalls = calls.filter((call) => call % 6 === 1)
  return {
    CRASHES: count(300),
    CUTS: count(100),
    FSYNC_CALLS: calls.join(','),
    FSYNC_DELAYS_MS: '200,2000',
    FAILING_WRITES: someCalls.join(','),
    DAMAGES: count(200),
    ROUNDS: count(1000),
    RESTARTS: count(30),
    SHUTDOWNS: count(100),
    ACKNOWLEDGED_EACH: count(700),
    FAILOVERS: count(20),
    IDLE: count(10_000),
    READERS: count(100),
    LOCKS_S: '1,10,60',
    OVERLOAD_S: count(60),
    INTERLEAVINGS: count(1000),
    STREAM_CUTS: count(200),
    STREAM_MESSAGES: count(20_000),
    MIGRATION_CUTS: count(100),
  }
}

async function runAll(): Promise<void> {
  Object.assign(process.env, trials(), { SEED: values.seed })
  const directory = fileURLToPath(new URL('.', import.meta.url))
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.test.ts') && file.includes(values.only))
    .map((file) => directory + file)
  const outcomes: Outcome[] = []
  const notes: string[] = []
  const stream = run({ files, concurrency: 1, timeout: FILE_TIMEOUT_MS })
  stream.on('test:diagnostic', ({ message }) => {
    if (!SUMMARY.test(message)) notes.push(message)
  })
  const record = (failed: boolean) => (event: Ended) => {
    if (event.details.type === 'suite') return
    // A file that ends well says nothing of its own; one that can't be run, or crashes, does.
    if (event.name.endsWith('.test.ts') && !failed) return
    const result = event.skip === undefined ? (failed ? 'FAILED' : 'passed') : 'skipped'
    const reason = failed ? reasonOf(event) : typeof event.skip === 'string' ? [event.skip] : []
    const outcome = {
      name: event.name,
      seconds: event.details.duration_ms / 1000,
      result,
      notes: reason,
    } as const
    outcomes.push(outcome)
    const told = [`${event.name} (${outcome.seconds.toFixed(0)} s)`, ...reason].join(': ')
    process.stdout.write(`${result} ${told}\n`)
  }
  stream.on('test:pass', record(false))
  stream.on('test:fail', record(true))
  await new Promise((resolve) => stream.once('end', resolve).resume())
  if (outcomes.length === 0) throw new Error(`No test ran: --only ${values.only} names no file.`)
  if (values.only === '') {
    writeFileSync(new URL('../../docs/reliability.md', import.meta.url), report(outcomes, notes))
  }
  process.exitCode = outcomes.some(({ result }) => result === 'FAILED') ? 1 : 0
}

/** The first line of what a test failed with. */
function reasonOf({ details }: Ended): string[] {
  const cause = details.error?.cause ?? details.error
  return cause instanceof Error ? [cause.message.split('\n', 1)[0] ?? ''] : []
}

function report(outcomes: readonly Outcome[], notes: readonly string[]): string {
  const numbers = trials()
  const memory = (totalmem() / 1e9).toFixed(0)
  const counted = (what: string, part: string, count: string | undefined) => {
    const named = outcomes.filter(({ name }) => name.includes(part))
    const held = named.length > 0 && named.every(({ result }) => result === 'passed')
    return held
      ? [`| ${what} | ${count} | ${Math.min(100, 300 / Number(count)).toFixed(1)} % |`]
      : []
  }
  const bounds = [
    ...ENGINES.map(({ name }) =>
      counted(
        `${name}: process killed`,
        `${name}: nothing acknowledged is lost or doubled`,
        numbers['CRASHES'],
      ),
    ),
    ...ENGINES.map(({ name }) =>
      counted(
        `${name}: service told to end`,
        `${name}: ${numbers['SHUTDOWNS']} services`,
        numbers['SHUTDOWNS'],
      ),
    ),
    counted('power cut under load', 'power is cut', numbers['CUTS']),
    ...ENGINES.map(({ name }) =>
      counted(`${name}: 50 copies at two processes`, `${name}: 50 copies`, numbers['ROUNDS']),
    ),
    counted('server of PostgreSQL killed under load', 'PostgreSQL killed', numbers['RESTARTS']),
    counted('transactions that end late', 'seeded orders', numbers['INTERLEAVINGS']),
    ...ENGINES.map(({ name }) =>
      counted(`${name}: streams cut`, `${name}: 4 streams cut`, numbers['STREAM_CUTS']),
    ),
    ...ENGINES.map(({ name }) =>
      counted(`${name}: migration interrupted`, `${name}: a migration`, numbers['MIGRATION_CUTS']),
    ),
    counted('failover to a synchronous standby', 'failover to a', numbers['FAILOVERS']),
    counted('damaged file', 'damaged files', numbers['DAMAGES']),
  ].flat()
  const rows = outcomes.map(
    ({ name, result, seconds, notes: reasons }) =>
      `| ${name} | ${[result, ...reasons].join(': ')} | ${seconds.toFixed(1)} |`,
  )
  const tally = (wanted: Outcome['result']) =>
    outcomes.filter(({ result }) => result === wanted).length
  return `# Reliability: what was tried

Written by \`npm run test:faults\`; \`npm test\` runs the same tests with fewer trials. A sender
records every answer, and a checker reads the store by a path of its own: what was answered 200 is
there once, with the same bytes; nothing is there twice or unexplained; the counters agree. A "twin"
is the service with one guard taken out: its test passes when the checker catches it.

- ${new Date().toISOString().slice(0, 10)}, seed ${values.seed}, scale ${values.scale}
- ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${memory} GB of memory, Linux ${release()}, Node ${process.version}
- ${tally('passed')} passed, ${tally('FAILED')} failed, ${tally('skipped')} skipped

No failure in N trials does not mean that there is none: with 95 % confidence the rate is below 3/N.

| Fault | Trials | Rate below |
| --- | --- | --- |
${bounds.join('\n')}

What this does not show: a power cut here means that what was not fsynced is gone; sectors torn in
half and disks that lie about their cache are not tried. One kernel and one file system.

## What the tests said

${[...new Set(notes)].map((note) => `- ${note}`).join('\n')}

## Every test

| Test | Result | Seconds |
| --- | --- | --- |
${rows.join('\n')}
`
}
