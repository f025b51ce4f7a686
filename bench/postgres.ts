// The service on PostgreSQL: ingest through one replica and two beside what pgbench inserts on the
// same server, and the queries on a thousand messages and a million. Round by round in one run.
import { choiceOption, parseOptions } from '../src/app/cli/command.ts'
import { PostgresServer } from '../test/support/postgres-server.ts'
import { batchFormTable, measureBatchForms } from './batch-forms.ts'
import { COMMON_HELP, integer, runBenchmark } from './command.ts'
import { contentionTable, measureContention } from './contention.ts'
import {
  databaseWithSchema,
  filledDatabase,
  MEASURED_SERVER,
  SETTINGS,
} from './postgres-databases.ts'
import { CONNECTIONS, ingestTable, measureIngest } from './postgres-ingest.ts'
import { expiryTable, measureQueries, queryTable, sizeTable } from './postgres-queries.ts'
import { writeTables } from './tables-report.ts'

const FEW = 1000

type Options = {
  readonly rounds: number
  readonly seconds: number
  readonly messages: number
  readonly only: string | null
}
type Part = (server: PostgresServer, options: Options) => Promise<readonly string[]>

/** What can be asked for alone with --only, in the order of a whole run. */
const PARTS: Readonly<Record<string, Part>> = {
  ingest: async (server, { rounds, seconds }) => [
    ingestTable(await inRounds(rounds, () => measureIngest(server, seconds))),
  ],
  batches: async (server, { rounds }) => [
    batchFormTable(await measureBatchForms(await databaseWithSchema(server), rounds)),
  ],
  contention: async (server, { rounds, seconds }) => [
    contentionTable(await inRounds(rounds, () => measureContention(server, seconds))),
  ],
  queries: async (server, { rounds, messages }) => {
    const few = await filledDatabase(server, FEW)
    const many = await filledDatabase(server, messages)
    const options = { messages, quick: rounds < 3 }
    const measured = await inRounds(rounds, () => measureQueries({ few, many }, options))
    return [
      queryTable(measured, messages),
      await sizeTable(many, messages),
      await expiryTable(many, messages),
    ]
  },
}

const HELP = `Usage: npm run bench:postgres -- [options]

Starts a PostgreSQL of its own, measures the service on it beside pgbench, and writes a report.

Options:
  --rounds N        Measurements of each kind; the medians count (3).
  --seconds N       Length of each measurement (5).
  --messages N      Messages in the large database of the query part (1000000).
  --only PART       ${Object.keys(PARTS).join(', ')}; all of them otherwise.
${COMMON_HELP}`

function parse(args: readonly string[]): Options {
  const { values } = parseOptions(args, {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    messages: { type: 'string', default: '1000000' },
    only: { type: 'string' },
  } as const)
  const { only } = values
  return {
    rounds: integer('rounds', values.rounds, 1),
    seconds: integer('seconds', values.seconds, 1),
    messages: integer('messages', values.messages, FEW),
    only: only === undefined ? null : choiceOption('only', only, Object.keys(PARTS)),
  }
}

async function inRounds<Result>(
  rounds: number,
  measure: () => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (let round = 1; round <= rounds; round++) {
    const result = await measure()
    results.push(result)
    process.stderr.write(`round ${round}: ${JSON.stringify(result)}\n`)
  }
  return results
}

async function run(options: Options): Promise<boolean> {
  const { only } = options
  const parts = Object.entries(PARTS).filter(([name]) => only === null || only === name)
  const startedAt = new Date()
  const server = await PostgresServer.start({ settings: SETTINGS })
  const tables: string[] = []
  try {
    for (const [, measure] of parts) tables.push(...(await measure(server, options)))
  } finally {
    server.remove()
  }
  writeTables({
    startedAt,
    kind: 'postgres',
    title: 'On PostgreSQL',
    tables,
    note: (machine) =>
      `Medians of ${options.rounds} rounds of ${options.seconds} s with ${CONNECTIONS} connections ` +
      `in all, by \`npm run bench:postgres\`, on ${machine} that the load generator, the ` +
      `services and the server share. ${MEASURED_SERVER}; every commit is ` +
      'flushed. pgbench inserts into the same tables and indexes, one prepared statement a message ' +
      'and transaction: all rows that the service stores for it, or its own and its body alone, ' +
      'without its person and counters. Nothing folds counters or indexes texts beside pgbench.',
  })
  return true
}

await runBenchmark({ help: HELP, parse, run })
