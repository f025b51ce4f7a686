// The service on PostgreSQL: ingest through one replica and two beside what pgbench inserts on the
// same server, and the queries on a thousand messages and a million. Round by round in one run.
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { fold } from '../src/app/model/fold.ts'
import { openPostgresStore } from '../src/app/store/postgres/postgres-store.ts'
import { PostgresServer } from '../test/support/postgres-server.ts'
import { batchFormTable, measureBatchForms } from './batch-forms.ts'
import { closedLoop } from './closed-loop.ts'
import { type Contention, measureContention } from './contention.ts'
import { incoming } from './fill.ts'
import { describeMachine } from './machine.ts'
import { pgbench, pgbenchVersion, type Rows } from './pgbench.ts'
import { SERVICE } from './programs.ts'
import { measurePages, measureSearches } from './queries.ts'
import { QueryClient } from './query-client.ts'
import { RARE_HITS, RARE_TEXTS } from './rare-texts.ts'
import { signedRequests } from './requests.ts'
import { type Running, runProgram, SECRET } from './run-program.ts'
import { median } from './statistics.ts'
import { table } from './table.ts'

const CONNECTIONS = 64
const FEW = 1000
const FILL_BATCH = 2000
/** More than the fastest machine takes; what is left over is not sent. */
const REQUESTS_A_SECOND = 15_000
const SETTINGS = [
  'shared_buffers=1GB',
  'max_wal_size=8GB',
  'checkpoint_timeout=15min',
  'max_connections=200',
]
const REPORTS = fileURLToPath(new URL('./reports/', import.meta.url))

type Ingest = {
  /** pgbench, with every row that the service stores, and with two of them. */
  readonly all: number | null
  readonly twoRows: number | null
  /** Replicas. */
  readonly one: number
  readonly two: number
}
type Queries = Awaited<ReturnType<typeof measurePages>> & {
  readonly searchMs: number
  readonly likeMs: number
}

const tell = (text: string) => process.stderr.write(`${text}\n`)

/** Messages a second through some replicas, on a fresh database. */
async function ingest(server: PostgresServer, replicas: number, seconds: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-postgres-'))
  const database = await server.newDatabase()
  const running: Running[] = []
  try {
    for (let i = 0; i < replicas; i++)
      running.push(await runProgram(SERVICE, { directory, database }))
    const load = (of: number) =>
      Promise.all(
        running.map(({ port }) => {
          const run = randomBytes(8).toString('hex')
          const count = Math.ceil((REQUESTS_A_SECOND * of) / replicas)
          const requests = signedRequests({ run, port, secret: SECRET, first: 0, count })
          return closedLoop({ port, connections: CONNECTIONS / replicas, requests, seconds: of })
        }),
      )
    await load(2)
    const results = await load(seconds)
    const failures = results.flatMap((result) => Object.keys(result.failures))
    if (failures.length > 0) throw new Error(`Not all was answered 200: ${failures.join(', ')}`)
    return results.reduce((sum, { sent, seconds: took }) => sum + sent / took, 0)
  } finally {
    for (const service of running) await service.stop()
    rmSync(directory, { recursive: true, force: true })
    await drop(server, database)
  }
}

/** What pgbench inserts into the tables that a service has made. */
async function ingestByPgbench(
  server: PostgresServer,
  rows: Rows,
  seconds: number,
): Promise<number | null> {
  if (pgbenchVersion() === null) return null
  const directory = mkdtempSync(join(tmpdir(), 'bench-postgres-'))
  const database = await databaseWithSchema(server)
  try {
    pgbench(database, { rows, directory, seconds: 2 })
    return pgbench(database, { rows, directory, seconds })
  } finally {
    rmSync(directory, { recursive: true, force: true })
    await drop(server, database)
  }
}

/** An empty database with the tables and functions of the service. */
async function databaseWithSchema(server: PostgresServer): Promise<string> {
  const database = await server.newDatabase()
  await (await openStore(database)).close()
  return database
}

function openStore(url: string) {
  const fail = (error: unknown) => {
    throw error
  }
  return openPostgresStore({ url, poolSize: 4, onCommitted: () => {}, onUpkeepError: fail })
}

async function drop(server: PostgresServer, database: string): Promise<void> {
  await server.query(`drop database ${new URL(database).pathname.slice(1)} with (force)`)
}

/** A database with so many messages, as the service stores them, analysed as autovacuum would. */
async function filled(server: PostgresServer, total: number): Promise<string> {
  const database = await server.newDatabase()
  const store = await openStore(database)
  for (let first = 0; first < total; first += FILL_BATCH) {
    const count = Math.min(FILL_BATCH, total - first)
    await store.insert(Array.from({ length: count }, (_, i) => incoming(first + i, total)))
    if (first % 100_000 === 0) tell(`queries: ${first} of ${total} messages are there`)
  }
  await store.close()
  const name = new URL(database).pathname.slice(1)
  await server.query('vacuum analyze', name)
  return database
}

async function measureQueries(
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

function ingestTable(rounds: readonly Ingest[]): string {
  const of = (pick: (round: Ingest) => number | null) =>
    median(rounds.flatMap((round) => pick(round) ?? []))
  const all = of((round) => round.all)
  const twoRows = of((round) => round.twoRows)
  const ratio = (rate: number, to: number) =>
    Number.isFinite(to) ? `${(rate / to).toFixed(2)} ×` : 'pgbench is not installed'
  const row = (what: string, rate: number, target: string) => [
    ...[what, rate.toFixed(0), ratio(rate, all), ratio(rate, twoRows), target],
  ]
  const one = of((round) => round.one)
  const two = of((round) => round.two)
  return table([
    ['ingest', 'messages a second', 'to all rows', 'to two rows', 'target'],
    row('pgbench, all rows of a message a transaction', all, ''),
    row('pgbench, two of its rows a transaction', twoRows, ''),
    row('one replica', one, '≥ 2 ×'),
    row('two replicas', two, ''),
  ])
}

function contentionTable(rounds: readonly Contention[]): string {
  const of = (pick: (round: Contention) => number) => median(rounds.map(pick))
  const one = of((round) => round.one)
  const row = (what: string, rate: number) => [
    what,
    rate.toFixed(0),
    `${(rate / one).toFixed(2)} ×`,
  ]
  return table([
    ['writers without HTTP, batches of 50', 'messages a second', 'to one writer'],
    row('one', one),
    row(
      'two',
      of((round) => round.two),
    ),
    row(
      'two, with a counter row that every batch updates',
      of((round) => round.twoHot),
    ),
  ])
}

function queryTable(rounds: readonly Queries[], messages: number): string {
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
async function sizeTable(database: string, messages: number): Promise<string> {
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
async function expiryTable(database: string, messages: number): Promise<string> {
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

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      messages: { type: 'string', default: '1000000' },
      only: { type: 'string', default: '' },
    },
  })
  const [rounds, seconds, messages] = [values.rounds, values.seconds, values.messages].map(
    Number,
  ) as [number, number, number]
  const startedAt = new Date()
  const server = await PostgresServer.start({ settings: SETTINGS })
  const tables: string[] = []
  try {
    if (values.only === '' || values.only === 'ingest') {
      const measured: Ingest[] = []
      for (let round = 1; round <= rounds; round++) {
        const result = {
          all: await ingestByPgbench(server, 'all', seconds),
          twoRows: await ingestByPgbench(server, 'two', seconds),
          one: await ingest(server, 1, seconds),
          two: await ingest(server, 2, seconds),
        }
        measured.push(result)
        tell(`round ${round}: ${JSON.stringify(result)}`)
      }
      tables.push(ingestTable(measured))
    }
    if (values.only === '' || values.only === 'batches') {
      tables.push(batchFormTable(await measureBatchForms(await databaseWithSchema(server), rounds)))
    }
    if (values.only === '' || values.only === 'contention') {
      const measured: Contention[] = []
      for (let round = 1; round <= rounds; round++) {
        measured.push(await measureContention(server, seconds))
        tell(`round ${round}: ${JSON.stringify(measured.at(-1))}`)
      }
      tables.push(contentionTable(measured))
    }
    if (values.only === '' || values.only === 'queries') {
      const databases = { few: await filled(server, FEW), many: await filled(server, messages) }
      const measured: Queries[] = []
      for (let round = 1; round <= rounds; round++) {
        measured.push(await measureQueries(databases, { messages, quick: rounds < 3 }))
        tell(`round ${round}: ${JSON.stringify(measured.at(-1))}`)
      }
      tables.push(queryTable(measured, messages), await sizeTable(databases.many, messages))
      tables.push(await expiryTable(databases.many, messages))
    }
  } finally {
    server.remove()
  }
  const text = tables.join('\n\n')
  process.stdout.write(`${text}\n`)
  mkdirSync(REPORTS, { recursive: true })
  const name = startedAt.toISOString().slice(0, 19).replaceAll(':', '')
  const { processor, cores } = describeMachine(tmpdir())
  writeFileSync(
    join(REPORTS, `${name}-postgres.md`),
    `# On PostgreSQL, ${name.slice(0, 10)}\n\n${text}\n\n` +
      `Medians of ${rounds} rounds of ${seconds} s with ${CONNECTIONS} connections in all, by ` +
      `\`npm run bench:postgres\`, on ${cores} cores (${processor}) that the load generator, the ` +
      `services and the server share. PostgreSQL 18 with ${SETTINGS.join(', ')}; every commit is ` +
      'flushed. pgbench inserts into the same tables and indexes, one prepared statement a message ' +
      'and transaction: all rows that the service stores for it, or its own and its body alone, ' +
      'without its person and counters. Nothing folds counters or indexes texts beside pgbench.\n',
  )
}

await main()
