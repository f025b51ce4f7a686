// What the service is to reach.
import type { ProgramName } from './programs.ts'
import { ingestMedian, p99Of, queryMedian, type Results, throughputOf } from './results.ts'
import { judge, type Outcome, type Target } from './verdict.ts'

const NOT_ASKED = 'not measured (--only)'
const NO_ORIGINAL = 'skipped: python3-fastapi, python3-uvicorn, python3-sqlalchemy not installed'
const NO_PROC = 'skipped: this system has no /proc'

/** Every target with its verdict, in the order of the table. */
export function judgeAll(results: Results): Outcome[] {
  const { only } = results.options
  const skip = (targets: readonly Target[]) =>
    targets.map((target) => ({ ...target, skipped: NOT_ASKED }))
  const ingest = ingestTargets(results)
  const queries = queryTargets(results)
  return [
    ...(only === 'queries' ? skip(ingest) : ingest),
    ...(only === 'ingest' ? skip(queries) : queries),
  ].map(judge)
}

function ingestTargets(results: Results): Target[] {
  const throughput = (program: ProgramName) => throughputOf(results, program)
  const p99 = (program: ProgramName) => p99Of(results, program)
  const rate = { unit: '/s', digits: 0, value: throughput('service') }
  const memory = ingestMedian(results, 'service', ({ memory }) => memory?.peakMb)
  const [hasOriginal, hasMemory] = [
    results.original !== null,
    results.ingest.some((round) => round.memory !== null),
  ]
  return [
    { what: 'ingest against (a)', ...rate, by: throughput('limit'), atLeast: 0.6 },
    { what: 'ingest against (b)', ...rate, by: throughput('naive'), atLeast: 8 },
    {
      what: 'ingest against (c)',
      ...rate,
      by: throughput('original'),
      atLeast: 15,
      skipped: hasOriginal ? undefined : NO_ORIGINAL,
    },
    {
      what: 'p99 at half load against (b)',
      ...{ unit: 'ms', digits: 2, value: p99('service'), by: p99('naive'), atMost: 0.2 },
    },
    {
      what: 'peak memory under load',
      ...{ unit: 'MB', digits: 0, value: memory, atMost: 250 },
      skipped: hasMemory ? undefined : NO_PROC,
    },
  ]
}

function queryTargets(results: Results): Target[] {
  const many = countOf(results.options.messages)
  const firstPage = queryMedian(results, (round) => round.firstPageManyMs)
  const time = { unit: 'ms', digits: 2 }
  return [
    {
      what: `/stats, ${many} messages against 10³`,
      ...time,
      value: queryMedian(results, (round) => round.statsManyMs),
      by: queryMedian(results, (round) => round.statsFewMs),
      atMost: 1.5,
    },
    {
      what: `first page, ${many} messages against 10³`,
      ...time,
      value: firstPage,
      by: queryMedian(results, (round) => round.firstPageFewMs),
      atMost: 1.5,
    },
    {
      what: `last page by cursor against first, ${many}`,
      ...time,
      value: queryMedian(results, (round) => round.lastPageManyMs),
      by: firstPage,
      atMost: 1.5,
    },
    {
      what: `LIKE scan against search with 20 hits, ${many}`,
      ...time,
      value: queryMedian(results, (round) => round.likeMs),
      by: queryMedian(results, (round) => round.searchMs),
      atLeast: 50,
    },
    {
      what: `ready after start, ${many}`,
      ...{ unit: 'ms', digits: 0, atMost: 1000 },
      value: queryMedian(results, (round) => round.readyMs),
    },
  ]
}

function countOf(messages: number): string {
  return messages === 1_000_000 ? '10⁶' : String(messages)
}
