// The benchmark: the service and its peers under load, then queries on many messages.
import { tell } from '../src/app/cli/command.ts'
import { runBenchmark } from './command.ts'
import { measureIngest } from './ingest.ts'
import { describeMachine } from './machine.ts'
import { HELP, type Options, parseOptions } from './options.ts'
import { LEAST, LIMIT, NAIVE, ORIGINAL, originalVersions, SERVICE } from './programs.ts'
import { measureQueries } from './queries.ts'
import { outcomeTable, writeReport } from './report.ts'
import { faultsOf, type Results } from './results.ts'
import { judgeAll } from './targets.ts'

async function run(options: Options, args: readonly string[]): Promise<boolean> {
  const startedAt = new Date()
  const original = originalVersions()
  if (original === null) tell('(c) is skipped: its packages are not installed')
  const programs = [SERVICE, LIMIT, LEAST, NAIVE, ...(original === null ? [] : [ORIGINAL])]
  const machine = describeMachine(options.directory)
  const ingest = options.only === 'queries' ? [] : await measureIngest(programs, options, tell)
  const queries = options.only === 'ingest' ? [] : await measureQueries(options, tell)
  const command = ['npm run bench', ...(args.length === 0 ? [] : ['--', ...args])].join(' ')
  const results: Results = { startedAt, command, options, machine, original, ingest, queries }
  const report = writeReport(results)
  const faults = faultsOf(results)
  process.stdout.write(`\n${outcomeTable(judgeAll(results))}\n\nReport: ${report}\n`)
  for (const fault of faults) tell(`INVALID: ${fault}`)
  return faults.length === 0
}

await runBenchmark({ help: HELP, parse: parseOptions, run })
