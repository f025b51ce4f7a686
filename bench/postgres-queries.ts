// The queries on a few messages and on many in PostgreSQL, what the many take, and how they expire.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { fold } from '../src/app/model/fold.ts'
import { SERVICE } from './programs.ts'
import { measurePages, measureSearches } from './queries.ts'
import { QueryClient } from './query-client.ts'
import { RARE_HITS, RARE_TEXTS } from './rare-texts.ts'
import { type Running, runProgram } from './run-program.ts'
import { median } from './statistics.ts'
import { table } from './table.ts'

/** Medians of one round, in ms. */
export type Queries = Awaited<ReturnType<typeof measurePages>> & {
  readonly searchMs: number
  readonly likeMs: number
}

/** One round of all queries against the service on both databases. Throws where an answer is wrong. */
export async function measureQueries(
  databases: { few: string; many: string },
  options: { messages: number; quick: boolean },
): Promise<Queries> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-postgres-'))
  const running: Running[] = []
  try {
    for (const database of [databases.few, databases.many]) {
      running.push(await runProgram(SERVICE, { directory, database }))
    }
    const [few, many] = await Promise.all(running.map(({ port }) => QueryClient.open(port)))
    if (few === undefined || many === undefined) throw new Error('A client is missing.')
    const pages = await measurePages({ few, many }, options)
    const { searchMs, faults } = await measureSearches(many, options.quick)
    if (faults.length > 0) throw new Error(faults.join('; '))
    for (const client of [few, many]) client.close()
    return { ...pages, searchMs, likeMs: await measureScans(databases.many) }
  } finally {
    for (const service of running) await service.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The medians of some rounds, as ratios. */
export function queryTable(rounds: readonly Queries[], messages: number): string {
  const of = (pick: (round: Queries) => number) => median(rounds.map(pick))
  const row = (what: string, value: number, by: number, target: string) => [
    what,
    `${value.toFixed(2)} against ${by.toFixed(2)} ms`,
    `${(value / by).toFixed(2)} ×`,
    target,
  ]
  const first = of((round) => round.firstPageManyMs)
  return table([
    [`queries at ${messages} messages`, 'medians', 'ratio', 'target'],
    row(
      '/stats against 10³',
      of((r) => r.statsManyMs),
      of((r) => r.statsFewMs),
      '≤ 1.5 ×',
    ),
    row(
      'first page against 10³',
      first,
      of((r) => r.firstPageFewMs),
      '≤ 1.5 ×',
    ),
    row(
      'last page by cursor against first',
      of((r) => r.lastPageManyMs),
      first,
      '≤ 1.5 ×',
    ),
    row(
      'scan against search with 20 hits',
      of((r) => r.likeMs),
      of((r) => r.searchMs),
      '≥ 50 ×',
    ),
  ])
}

/** What the tables take on the disk, their indexes included. */
export async function sizeTable(database: string, messages: number): Promise<string> {
  const client = new Client({ connectionString: database })
  await client.connect()
  const { rows } = await client.query<{ name: string; rows: string; indexes: string }>(
    `select case when relname like 'intakes%' then 'intakes' else relname end as name,
       sum(pg_table_size(oid)) as rows, sum(pg_indexes_size(oid)) as indexes
     from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
     group by 1 having sum(pg_total_relation_size(oid)) > 1e6 order by 2 desc`,
  )
  await client.end()
  const each = (bytes: string) => (Number(bytes) / messages).toFixed(0)
  return table([
    ['table', 'bytes a message', 'of its indexes'],
    ...rows.map((row) => [row.name, each(row.rows), each(row.indexes)]),
  ])
}

/** A day of bodies, deleted row by row (and rolled back), then dropped as the service does it. */
export async function expiryTable(database: string, messages: number): Promise<string> {
  const client = new Client({ connectionString: database })
  await client.connect()
  const timed = async (sql: string) => {
    const start = performance.now()
    await client.query(sql)
    return ((performance.now() - start) / 1000).toFixed(2)
  }
  const tomorrow = (Math.floor(Date.now() / 86_400_000) + 1) * 86_400_000
  await client.query('begin')
  const deleted = await timed('delete from intakes')
  await client.query('rollback')
  const dropped = await timed(`
    do $$ begin while expire_intakes_2(${tomorrow}) loop end loop; end $$`)
  await client.end()
  return table([
    [`${messages} raw bodies of one day`, 'seconds'],
    ['deleted row by row, before any vacuum', deleted],
    ['expired and dropped with their partition', dropped],
  ])
}

/** The median time of the same search without an index, in ms. */
async function measureScans(database: string): Promise<number> {
  const client = new Client({ connectionString: database })
  await client.connect()
  await client.query('set enable_bitmapscan = off; set enable_indexscan = off')
  const times: number[] = []
  for (const text of RARE_TEXTS) {
    const start = performance.now()
    const { rows } = await client.query('select seq from messages where folded like $1', [
      `%${fold(text)}%`,
    ])
    times.push(performance.now() - start)
    if (rows.length !== RARE_HITS) throw new Error(`The scan found ${rows.length} of ${RARE_HITS}.`)
  }
  await client.end()
  return median(times)
}
