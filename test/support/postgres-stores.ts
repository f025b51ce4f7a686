// Stores on PostgreSQL, connections to them, and what a replica would store.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { Client } from 'pg'
import type { Intake } from '../../src/app/model/event.ts'
import { batchFor, INGEST_SQL } from '../../src/app/store/postgres/batch.ts'
import { openPostgresStore } from '../../src/app/store/postgres/postgres-store.ts'
import type { MessageStore } from '../../src/app/store/store.ts'

type Told = {
  readonly onCommitted?: () => void
  /** Default: fails the test. */
  readonly onUpkeepError?: (error: unknown) => void
}

/** A store that is closed after the test. */
export async function openStoreFor(
  test: TestContext,
  url: string,
  { onCommitted = () => {}, onUpkeepError = assert.ifError }: Told = {},
): Promise<MessageStore> {
  const store = await openPostgresStore({ url, poolSize: 5, onCommitted, onUpkeepError })
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
  token: string = randomUUID(),
): Promise<void> {
  await client.query(INGEST_SQL, [token, ...batchFor(intakes)])
}
