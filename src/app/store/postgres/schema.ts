// The schema's version, and the numbered SQL files that bring a database to it. They only expand
// what is there, so that replicas of the version before go on beside them; what nobody needs any
// more, a later version takes away. Each names in its first line the oldest replica it works with.
import { readdirSync, readFileSync } from 'node:fs'
import type { ClientBase } from 'pg'
import { StoreUnavailableError } from '../../errors.ts'
import { FLUSHES, requireFlushes } from './durability.ts'
import { isLockTaken } from './faults.ts'
import { MIGRATION_LOCK } from './locks.ts'

const DIRECTORY = new URL('./migrations/', import.meta.url)
/** So long a migration waits for a table in use, in ms: whoever stores or reads queues up behind it. */
const LOCK_TIMEOUT_MS = 200
const OLDEST_REPLICA = /^-- oldest-replica: (\d+)\n/

export type Migration = {
  readonly version: number
  /** The version of the schema that a replica has to know at least to work with this one. */
  readonly oldestReplica: number
  readonly sql: string
}

/** The migrations in a directory, in their order. */
export function readMigrations(directory: URL): readonly Migration[] {
  return readdirSync(directory)
    .filter((file) => /^\d{4}-.+\.sql$/.test(file))
    .sort()
    .map((file) => {
      const sql = readFileSync(new URL(file, directory), 'utf8')
      const version = Number(file.slice(0, 4))
      return { version, sql, oldestReplica: Number(OLDEST_REPLICA.exec(sql)?.[1] ?? version) }
    })
}

const MIGRATIONS = readMigrations(DIRECTORY)

/** The version this build of the service needs. */
const SCHEMA_VERSION = MIGRATIONS.at(-1)?.version ?? 0

/** A schema this build can't work with, whatever it waits for. */
export class SchemaMismatchError extends Error {
  override readonly name = 'SchemaMismatchError'
}

/** A table that a migration changes is in use, by something that takes longer than it may wait. */
export class TableInUseError extends StoreUnavailableError {
  constructor(cause: unknown) {
    super(
      'The update of the schema waits for a table that something long is reading, such as a backup, verify or a vacuum: it can be made once that ends.',
      { cause },
    )
  }
}

/**
 * Brings the schema up to date, each migration in a transaction of its own. Replicas that start at
 * once wait for each other; one that was interrupted left nothing behind. Rejects with TableInUseError
 * where others would have to wait for too long with it.
 */
export async function migrate(client: ClientBase, migrations = MIGRATIONS): Promise<void> {
  for (const migration of migrations) {
    await client.query('begin')
    try {
      await client.query('set local statement_timeout = 0')
      await client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
      await client.query(`create table if not exists schema_migrations (
        version integer primary key, oldest_replica integer not null,
        applied_at timestamptz not null default now())`)
      await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
      await apply(client, migration)
      await client.query('commit')
    } catch (error) {
      await client.query('rollback').catch(() => {})
      throw isLockTaken(error) ? new TableInUseError(error) : error
    }
  }
}

async function apply(client: ClientBase, { version, oldestReplica, sql }: Migration) {
  const { rows } = await client.query('select 1 from schema_migrations where version = $1', [
    version,
  ])
  if (rows.length > 0) return
  await client.query(sql)
  await client.query('insert into schema_migrations (version, oldest_replica) values ($1, $2)', [
    version,
    oldestReplica,
  ])
}

/** Those of this build's migrations that are not among the applied ones. */
export function missingMigrations(applied: readonly number[]): readonly number[] {
  return MIGRATIONS.map(({ version }) => version).filter((version) => !applied.includes(version))
}

/** How far a database is, and how far this build needs it to be. */
export type SchemaState = {
  /** 0 where there is none yet. */
  readonly found: number
  /** What a replica has to know at least to work with it. */
  readonly oldestReplica: number
  readonly needed: number
}

/** And whether the server would store durably. */
type ServerState = SchemaState & { readonly isReadOnly: boolean; readonly flushes: boolean }

/** How far a database is, which may be empty. */
export async function schemaState(client: ClientBase): Promise<SchemaState> {
  const { rows } = await client.query("select to_regclass('schema_migrations') as name")
  if (rows[0]?.name === null) return { found: 0, oldestReplica: 0, needed: SCHEMA_VERSION }
  return await readState(client)
}

async function readState(client: ClientBase): Promise<ServerState> {
  const { rows } = await client.query<Omit<ServerState, 'needed'>>(
    `select coalesce(max(version), 0) as found, coalesce(max(oldest_replica), 0) as "oldestReplica",
       current_setting('transaction_read_only')::boolean as "isReadOnly", ${FLUSHES} as flushes
     from schema_migrations`,
  )
  const [row] = rows
  if (row === undefined) throw new Error('An aggregate has one row.')
  return { ...row, needed: SCHEMA_VERSION }
}

/** Why this build can't work with a schema, and what to do; null where it can. */
export function schemaFault({ found, oldestReplica, needed }: SchemaState): string | null {
  if (found < needed) {
    return `The schema is at version ${found} and not ${needed}: start a service of this version on it.`
  }
  if (oldestReplica > needed) {
    return `The database has schema ${found}, which works with replicas from schema ${oldestReplica} on, and this version of the service knows ${needed}: start a newer version of the service.`
  }
  return null
}

/**
 * Rejects with SchemaMismatchError unless the schema is the one this build needs, or a newer one
 * that it works with.
 */
export async function requireSchema(client: ClientBase): Promise<void> {
  requireMatch(await readState(client))
}

/**
 * The same, and rejects with StoreUnavailableError where the server takes no writes or does not flush
 * them. One statement: whoever waits behind it on a slow link waits once.
 */
export async function requireWritable(client: ClientBase): Promise<void> {
  const state = await readState(client)
  requireMatch(state)
  if (state.isReadOnly) throw new StoreUnavailableError('The server takes no writes.')
  requireFlushes(state.flushes)
}

/** Throws SchemaMismatchError where this build can't work with the schema. */
function requireMatch(state: SchemaState): void {
  const fault = schemaFault(state)
  if (fault !== null) throw new SchemaMismatchError(fault)
}
