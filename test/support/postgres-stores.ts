// Stores on PostgreSQL, connections to them, and what a replica would store.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { Client } from 'pg'
import type { Intake } from '../../src/app/model/event.ts'
import { batchFor, INGEST_SQL } from '../../src/app/store/postgres/batch.ts'
import {
  openPostgresStore,
  type PostgresOptions,
} from '../../src/app/store/postgres/postgres-store.ts'
import type { MessageStore } from '../../src/app/store/store.ts'

/** A store that is closed after the test, which an error of its upkeep fails unless it is told of it. */
export async function openStoreFor(
  test: TestContext,
  url: string,
  told: Partial<Omit<PostgresOptions, 'url' | 'poolSize'>> = {},
): Promise<MessageStore> {
  const store = await openPostgresStore({
    ...{ url, poolSize: 5, onCommitted: () => {}, onUpkeepError: assert.ifError },
    ...told,
  })
  test.after(() => store.close())
  return store
}

/** A connection of its own, closed after the test. */
export async function connectFor(test: TestContext, url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  test.after(() => client.end().catch(() => {}))
  return client
}

/** The days that have a table of raw bodies, as `20250115`, in their order; those that begin so. */
export async function daysOf(client: Client, beginning = ''): Promise<string[]> {
  const { rows } = await client.query<{ day: string }>(
    `select right(relname, 8) as day from pg_class
     where relname ~ '^intakes_[0-9]{8}$' and right(relname, 8) like $1 || '%' order by 1`,
    [beginning],
  )
  return rows.map(({ day }) => day)
}

/** Whether anybody waits for an advisory lock in the database of a connection. */
export async function isLockAwaited(client: Client): Promise<boolean> {
  const { rows } = await client.query(
    `select from pg_locks where locktype = 'advisory' and not granted
       and database = (select oid from pg_database where datname = current_database())`,
  )
  return rows.length > 0
}

/** Stores a batch as a replica would, but inside whatever transaction the connection is in. */
export async function ingest(
  client: Client,
  intakes: readonly Intake[],
  { token = randomUUID(), everyEvent = false }: { token?: string; everyEvent?: boolean } = {},
): Promise<void> {
  await client.query(INGEST_SQL, [token, ...batchFor(intakes, everyEvent)])
}
