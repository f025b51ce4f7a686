// What a whole run came to, and how to read one number out of all its rounds.
import type { IngestRound } from './ingest.ts'
import type { Machine } from './machine.ts'
import type { Options } from './options.ts'
import type { ProgramName } from './programs.ts'
import type { QueryRound } from './queries.ts'
import { median } from './statistics.ts'

export type Results = {
  readonly startedAt: Date
  readonly command: string
  readonly options: Options
  readonly machine: Machine
  /** The versions of (c); null where it can't run. */
  readonly original: string | null
  readonly ingest: readonly IngestRound[]
  readonly queries: readonly QueryRound[]
}

/** The median over a program's rounds; null when it has none, or one that is invalid. */
export function ingestMedian(
  { ingest }: Results,
  program: ProgramName,
  read: (round: IngestRound) => number | undefined,
): number | null {
  const rounds = ingest.filter((round) => round.program === program)
  return validMedian(rounds, read)
}

/** What a program took in at full load, in requests a second. */
export function throughputOf(results: Results, program: ProgramName): number | null {
  return ingestMedian(results, program, ({ load }) => load.full.perSecond)
}

/** The p99 of its latency at half of that, in ms. */
export function p99Of(results: Results, program: ProgramName): number | null {
  return ingestMedian(results, program, ({ load }) => load.half.latencyMs.p99)
}

/** The median over the rounds of queries; null when there is none, or one that is invalid. */
export function queryMedian(
  { queries }: Results,
  read: (round: QueryRound) => number,
): number | null {
  return validMedian(queries, read)
}

/** What makes rounds invalid, as sentences. */
export function faultsOf({ ingest, queries }: Results): string[] {
  return [
    ...ingest.flatMap(({ round, program, faults }) =>
      faults.map((fault) => `round ${round}, ${program}: ${fault}`),
    ),
    ...queries.flatMap(({ round, faults }) =>
      faults.map((fault) => `round ${round}, queries: ${fault}`),
    ),
  ]
}

function validMedian<Round extends { readonly faults: readonly string[] }>(
  rounds: readonly Round[],
  read: (round: Round) => number | undefined,
): number | null {
  if (rounds.length === 0 || rounds.some(({ faults }) => faults.length > 0)) return null
  const values = rounds.map(read).filter((value) => value !== undefined)
  return values.length === rounds.length ? median(values) : null
}
