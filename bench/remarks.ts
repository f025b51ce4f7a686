// What a reader has to know to trust the table, and where not to.
import type { ProgramName } from './programs.ts'
import { p99Of, type Results, throughputOf } from './results.ts'
import type { Outcome } from './verdict.ts'

/** The targets that do not hold, each in one line. */
export function misses(outcomes: readonly Outcome[]): string[] {
  const lines = outcomes
    .filter(({ state }) => state !== 'holds')
    .map(({ what, verdict }) => `${what}: ${verdict}`)
  return lines.length === 0 ? ['Nothing: every target holds.'] : lines
}

/** Machine, versions, settings. */
export function conditions({ machine, options, original, command, startedAt }: Results): string[] {
  const { rounds, seconds, warmUpSeconds, connections, flushMs } = options
  const { p50, p99, max } = machine.fsyncMs
  return [
    `${machine.cores} cores (${machine.processor}), ${machine.memoryGb} GB of memory, ${machine.kernel}`,
    `Node ${machine.node}, SQLite ${machine.sqlite}, sources ${machine.commit ?? 'outside a clone'}; started ${startedAt.toISOString()} by \`${command}\``,
    `a 4 KiB write with its fsync: median ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms, longest ${max.toFixed(2)} ms${machine.inMemory ? '. **This file system is in memory: a commit costs nothing here, and the ratios mean nothing**' : ''}`,
    ...(flushMs === 0
      ? []
      : [
          `**each fsync and fdatasync of the programs takes ${flushMs} ms longer than that**: strace holds the thread that waits for it, and stops no other call`,
        ]),
    `${rounds} rounds of each program, one after another in one run, each round in another order, each on an empty database; ${connections} connections, ${warmUpSeconds} s of warm-up, ${seconds} s a measurement; medians of the rounds`,
    'service: `MALLOC_ARENA_MAX=1 node --max-semi-space-size=8 src/main.cjs serve`, as the image and the unit run it (npm start does without the variable), synchronous=FULL, its default log (level info, a JSON line a request) written to a file; the peers log nothing',
    '(a) checks the signature, parses the body and answers; (b) one insert and commit per request, WAL and synchronous=FULL, no raw body kept, no search',
    '(d) is (a) with the least that is durable and has each id once: a table without any index but its key, and a commit shared by all that arrived together; no raw body, search, statistics or log',
    original === null
      ? "(c) skipped: Debian's packages for it are not installed"
      : `(c) ${original}, one worker; SQLAlchemy's defaults, that is journal_mode=DELETE and synchronous=FULL`,
    'p99 at half load: requests fall due as a Poisson process at half of the throughput that the same program had in the same round; latency counts from the due moment, so that a stall is not hidden',
    'after each measurement the database is read by another connection: exactly the acknowledged ids have to be there; any answer but 200 makes a measurement invalid',
    'the LIKE scan reads the same database file in-process, without HTTP; the search goes through HTTP',
  ]
}

/** What the load generator's share and the disk do to the ratios. */
export function limits(results: Results): string[] {
  return [
    'The load generator runs on the same machine and takes its share of the processors. Absolute numbers are those of this machine; only ratios of one run are comparable.',
    ...limitsOfRate(results),
    ...limitsOfLatency(results),
    ...(results.options.quick
      ? ['This was a smoke run: far too short to conclude anything from it.']
      : []),
  ]
}

function limitsOfRate(results: Results): string[] {
  const rate = (program: ProgramName) => throughputOf(results, program)
  const [service, limit, naive, least] = [
    rate('service'),
    rate('limit'),
    rate('naive'),
    rate('least'),
  ]
  if (service === null || limit === null || naive === null || least === null) return []
  const flush = results.machine.fsyncMs.p50 + results.options.flushMs
  return [
    `(a) itself is ${(limit / naive).toFixed(1)} times as fast as (b) here: no program that answers over node:http can be further ahead of (b). The slower an fsync, the more a shared commit gains; here it takes ${flush.toFixed(2)} ms.`,
    `(d) does ${(least / limit).toFixed(2)} of (a) and ${(least / naive).toFixed(1)} times (b): no program that stores over node:http and SQLite can be expected to do more here. The service, with everything that it stores, does ${(service / least).toFixed(2)} of it.`,
  ]
}

function limitsOfLatency(results: Results): string[] {
  const p99 = (program: ProgramName) => p99Of(results, program)
  const [limit, naive, least] = [p99('limit'), p99('naive'), p99('least')]
  if (limit === null || naive === null || least === null) return []
  return [
    `(a), which stores nothing, has a p99 of ${limit.toFixed(2)} ms at its own half load, ${(limit / naive).toFixed(2)} times that of (b), and (d) one of ${least.toFixed(2)} ms, ${(least / naive).toFixed(2)} times: what the machine and the generator add to a p99 is in all of them.`,
  ]
}
