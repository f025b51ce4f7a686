// Do replicas wait for each other? Two writers beside one, on the same senders; then the same with
// a counter that every batch updates in its transaction, as a plain total would be.
import { performance } from 'node:perf_hooks'
import { openPostgresStore } from '../src/app/store/postgres/postgres-store.ts'
import type { PostgresServer } from '../test/support/postgres-server.ts'
import { incoming } from './fill.ts'
import { median } from './statistics.ts'
import { table } from './table.ts'

const BATCH = 50
const HOT_ROW = `
  create table hot_total (n bigint not null);
  insert into hot_total values (0);
  create function count_hot() returns trigger language plpgsql as
    'begin update hot_total set n = n + 1; return null; end';
  create trigger count_hot after insert on batches for each row execute function count_hot();`

export type Contention = { readonly one: number; readonly two: number; readonly twoHot: number }

/** Messages a second, each measured on a fresh database. */
export async function measureContention(
  server: PostgresServer,
  seconds: number,
): Promise<Contention> {
  return {
    one: await write(server, { writers: 1, seconds, hot: false }),
    two: await write(server, { writers: 2, seconds, hot: false }),
    twoHot: await write(server, { writers: 2, seconds, hot: true }),
  }
}

type Work = { readonly writers: number; readonly seconds: number; readonly hot: boolean }

async function write(server: PostgresServer, { writers, seconds, hot }: Work): Promise<number> {
  const url = await server.newDatabase()
  const name = new URL(url).pathname.slice(1)
  const fail = (error: unknown) => {
    throw error
  }
  const stores = await Promise.all(
    Array.from({ length: writers }, () =>
      openPostgresStore({ url, poolSize: 3, onCommitted: () => {}, onUpkeepError: fail }),
    ),
  )
  if (hot) await server.query(HOT_ROW, name)
  let next = 0
  let stored = 0
  const batch = () => Array.from({ length: BATCH }, () => incoming(next++, Number.MAX_SAFE_INTEGER))
  const start = performance.now()
  const deadline = start + seconds * 1000
  await Promise.all(
    stores.map(async (store) => {
      while (performance.now() < deadline) {
        await store.insert(batch())
        stored += BATCH
      }
    }),
  )
  const took = (performance.now() - start) / 1000
  await Promise.all(stores.map((store) => store.close()))
  await server.query(`drop database ${name} with (force)`)
  return stored / took
}

/** The medians of some rounds, as ratios to one writer. */
export function contentionTable(rounds: readonly Contention[]): string {
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
