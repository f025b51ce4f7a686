// The benchmark: the service and its peers under load, then queries on many messages.
import { measureIngest } from './ingest.ts'
import { describeMachine } from './machine.ts'
import { HELP, type Options, parseOptions } from './options.ts'
import { LIMIT, NAIVE, ORIGINAL, originalVersions, SERVICE } from './programs.ts'
import { measureQueries } from './queries.ts'
import { outcomeTable, writeReport } from './report.ts'
import { faultsOf, type Results } from './results.ts'
import { judgeAll } from './targets.ts'

const FAILED = 1
const MISUSED = 2
const INTERRUPTED = 130

async function run(options: Options, args: readonly string[]): Promise<void> {
  const startedAt = new Date()
  const original = originalVersions()
  if (original === null) tell('(c) is skipped: its packages are not installed')
  const programs = [SERVICE, LIMIT, NAIVE, ...(original === null ? [] : [ORIGINAL])]
  const machine = describeMachine(options.directory)
  const ingest = options.only === 'queries' ? [] : await measureIngest(programs, options, tell)
  const queries = options.only === 'ingest' ? [] : await measureQueries(options, tell)
  const command = ['npm run bench', ...(args.length === 0 ? [] : ['--', ...args])].join(' ')
  const results: Results = { startedAt, command, options, machine, original, ingest, queries }
  const report = writeReport(results)
  const faults = faultsOf(results)
  process.stdout.write(`\n${outcomeTable(judgeAll(results))}\n\nReport: ${report}\n`)
  for (const fault of faults) tell(`INVALID: ${fault}`)
  if (faults.length > 0) process.exitCode = FAILED
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

function readOptions(args: readonly string[]): Options | null | undefined {
  try {
    return parseOptions(args)
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error))
    process.exitCode = MISUSED
    return undefined
  }
}

// Through process.exit, so that the programs under measurement end with this one.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(INTERRUPTED))

const args = process.argv.slice(2)
const options = readOptions(args)
if (options === null) process.stdout.write(HELP)
else if (options !== undefined) await run(options, args)
