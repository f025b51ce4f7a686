// The command line of the benchmark.
import { tmpdir } from 'node:os'
import { choiceOption, parseOptions as parseArguments } from '../src/app/cli/command.ts'
import { COMMON_HELP, integer } from './command.ts'

export const HELP = `Usage: npm run bench -- [options]

Loads the service and its peers over loopback, one after another, prints one table of ratios and
writes a report. A missed target does not fail the run; an invalid measurement does.

Options:
  --rounds N        Measurements of each program; the medians count (3).
  --seconds N       Length of each measurement (10). There are two a round: at full load, and at
                    half of the throughput that the full load had.
  --connections N   Connections of the load generator (64).
  --messages N      Messages in the large database of the query part (1000000).
  --only PART       "ingest" or "queries".
  --directory DIR   Where databases are put (${tmpdir()}). On a file system in memory a commit
                    costs nothing, and the numbers mean nothing.
  --flush-ms N      Each flush of the programs under load takes so many ms longer, as on a slower
                    disk (0). Needs strace.
  --refill          Fill the databases of the query part again; else they are kept between runs.
  --quick           A smoke run of under a minute: 1 round, 2 seconds, 20000 messages.
${COMMON_HELP}`

type Part = 'ingest' | 'queries'

export type Options = {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly connections: number
  readonly messages: number
  readonly only: Part | null
  readonly directory: string
  /** What each flush takes longer than this disk needs; ms. */
  readonly flushMs: number
  readonly refill: boolean
  readonly quick: boolean
}

/** Fewer would not hold a page, its cursor and the texts to search for. */
const LEAST_MESSAGES = 2000

/** Options from the arguments. Throws UsageError where they make no sense. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArguments(args, {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    messages: { type: 'string' },
    only: { type: 'string' },
    directory: { type: 'string' },
    'flush-ms': { type: 'string' },
    refill: { type: 'boolean' },
    quick: { type: 'boolean' },
  } as const)
  const { only } = values
  const quick = values.quick === true
  return {
    rounds: integer('rounds', values.rounds ?? (quick ? '1' : '3'), 1),
    seconds: integer('seconds', values.seconds ?? (quick ? '2' : '10'), 1),
    warmUpSeconds: quick ? 1 : 3,
    connections: integer('connections', values.connections ?? '64', 1),
    messages: integer('messages', values.messages ?? (quick ? '20000' : '1000000'), LEAST_MESSAGES),
    only: only === undefined ? null : choiceOption<Part>('only', only, ['ingest', 'queries']),
    directory: values.directory ?? tmpdir(),
    flushMs: integer('flush-ms', values['flush-ms'] ?? '0', 0),
    refill: values.refill === true,
    quick,
  }
}
