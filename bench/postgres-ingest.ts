// How fast replicas of the service take messages in, beside what pgbench inserts on the same server.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostgresServer } from '../test/support/postgres-server.ts'
import { closedLoop } from './closed-loop.ts'
import { pgbench, pgbenchVersion, type Rows } from './pgbench.ts'
import { databaseWithSchema, dropDatabase } from './postgres-databases.ts'
import { LEAST_POSTGRES, type Program, SERVICE } from './programs.ts'
import { signedRequests } from './requests.ts'
import { type Running, runProgram, SECRET } from './run-program.ts'
import { median } from './statistics.ts'
import { table } from './table.ts'

/** Of all replicas together, as many as pgbench has. */
export const CONNECTIONS = 64
/** More than the fastest machine takes; what is left over is not sent. */
const REQUESTS_A_SECOND = 15_000

/** Messages a second; null where pgbench is not installed. */
export type Ingest = {
  /** pgbench, with every row that the service stores, and with two of them. */
  readonly all: number | null
  readonly twoRows: number | null
  /** The least that a replica can be, with every row of pgbench. */
  readonly least: number
  /** Replicas. */
  readonly one: number
  readonly two: number
}

/** One round: pgbench and the service in turns, each for so many seconds after a warm-up. */
export async function measureIngest(server: PostgresServer, seconds: number): Promise<Ingest> {
  return {
    all: await ingestByPgbench(server, 'all', seconds),
    twoRows: await ingestByPgbench(server, 'two', seconds),
    least: await ingest(server, { program: LEAST_POSTGRES, replicas: 1, seconds }),
    one: await ingest(server, { program: SERVICE, replicas: 1, seconds }),
    two: await ingest(server, { program: SERVICE, replicas: 2, seconds }),
  }
}

/** The medians of some rounds, as ratios to pgbench. */
export function ingestTable(rounds: readonly Ingest[]): string {
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
    row(
      'the least that a replica can be: one statement a batch',
      of((round) => round.least),
      '',
    ),
    row('one replica', one, '≥ 2 ×'),
    row('two replicas', two, ''),
  ])
}

type Load = { readonly program: Program; readonly replicas: number; readonly seconds: number }

/** Messages a second through some replicas, on a fresh database. */
async function ingest(
  server: PostgresServer,
  { program, replicas, seconds }: Load,
): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-postgres-'))
  const database = await databaseWithSchema(server)
  const running: Running[] = []
  try {
    for (let i = 0; i < replicas; i++)
      running.push(await runProgram(program, { directory, database }))
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
    await dropDatabase(server, database)
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
    await dropDatabase(server, database)
  }
}
