// Databases of a PostgreSQL server, as the service makes and fills them.
import { openPostgresStore } from '../src/app/store/postgres/postgres-store.ts'
import type { PostgresServer } from '../test/support/postgres-server.ts'
import { incoming } from './fill.ts'

const FILL_BATCH = 2000

/** Of the server that is measured. */
export const SETTINGS = [
  'shared_buffers=1GB',
  'max_wal_size=8GB',
  'checkpoint_timeout=15min',
  'max_connections=200',
]

/** What reports say of it. */
export const MEASURED_SERVER = `PostgreSQL 18 with ${SETTINGS.join(', ')}`

/** An empty database with the tables and functions of the service. */
export async function databaseWithSchema(server: PostgresServer): Promise<string> {
  const database = await server.newDatabase()
  await (await openStore(database)).close()
  return database
}

/** Deletes a database, whoever is connected to it. */
export async function dropDatabase(server: PostgresServer, database: string): Promise<void> {
  await server.query(`drop database ${new URL(database).pathname.slice(1)} with (force)`)
}

/** A database with so many messages, as the service stores them, analysed as autovacuum would. */
export async function filledDatabase(server: PostgresServer, total: number): Promise<string> {
  const database = await server.newDatabase()
  const store = await openStore(database)
  for (let first = 0; first < total; first += FILL_BATCH) {
    const count = Math.min(FILL_BATCH, total - first)
    await store.insert(Array.from({ length: count }, (_, i) => incoming(first + i, total)))
    if (first % 100_000 === 0)
      process.stderr.write(`queries: ${first} of ${total} messages are there\n`)
  }
  await store.close()
  const name = new URL(database).pathname.slice(1)
  await server.query('vacuum analyze', name)
  return database
}

function openStore(url: string) {
  const fail = (error: unknown) => {
    throw error
  }
  return openPostgresStore({ url, poolSize: 4, onCommitted: () => {}, onUpkeepError: fail })
}
