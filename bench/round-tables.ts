// Every round's raw numbers, as rows.
import type { Results } from './results.ts'

/** A row for each program and round. */
export function ingestRows({ ingest }: Results): string[][] {
  const head = [
    'round',
    'program',
    '200/s',
    'p50 ms',
    'p99 ms',
    'half: rate/s',
    'p50 ms',
    'p90 ms',
    'p99 ms',
    'max ms',
    'sent late p99 ms',
    'µs CPU/request',
    'peak MB',
    'sent',
    'stored',
  ]
  const rows = ingest.map(({ round, program, load, memory, store }) => {
    const { full, half, sent } = load
    const cpuSeconds = full.serverCpuSeconds
    const cpu = cpuSeconds === null ? '' : ((cpuSeconds / full.acknowledged) * 1e6).toFixed(0)
    return [
      String(round),
      program,
      full.perSecond.toFixed(0),
      full.latencyMs.p50.toFixed(2),
      full.latencyMs.p99.toFixed(2),
      half.rate.toFixed(0),
      half.latencyMs.p50.toFixed(2),
      half.latencyMs.p90.toFixed(2),
      half.latencyMs.p99.toFixed(2),
      half.latencyMs.max.toFixed(2),
      half.sentLateMs.p99.toFixed(2),
      cpu,
      memory?.peakMb.toFixed(0) ?? '',
      String(sent.reduce((sum, { count }) => sum + count, 0)),
      store === null ? '' : String(store.stored),
    ]
  })
  return [head, ...rows]
}

/** A row for each round. */
export function queryRows({ queries }: Results): string[][] {
  const head = ['round', 'messages', '/stats', 'first page', 'last page', 'search', 'LIKE', 'ready']
  const rows = queries.flatMap((round) => {
    const few = [round.few, round.statsFewMs, round.firstPageFewMs]
    const many = [round.many, round.statsManyMs, round.firstPageManyMs, round.lastPageManyMs]
    const rest = [round.searchMs, round.likeMs, round.readyMs]
    return [few, [...many, ...rest]].map(([messages, ...times]) => [
      String(round.round),
      String(messages),
      ...times.map((ms) => ms.toFixed(2)),
    ])
  })
  return [head, ...rows]
}
