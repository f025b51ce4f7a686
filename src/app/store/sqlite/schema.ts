// The schema's version, and the numbered SQL files that bring a database to it.
import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { ConfigurationError } from '../../errors.ts'
import { pragma } from './connection.ts'

const DIRECTORY = new URL('./migrations/', import.meta.url)

type Migration = { readonly version: number; readonly file: string }

const MIGRATIONS: readonly Migration[] = readdirSync(DIRECTORY)
  .filter((file) => /^\d{4}-.+\.sql$/.test(file))
  .sort()
  .map((file) => ({ version: Number(file.slice(0, 4)), file }))

/** The version this build of the service needs. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.version ?? 0

/** The version a database is at; 0 for an empty file. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(pragma(database, 'user_version'))
}

/** Throws unless the database is at the version this build of the service needs. */
export function requireSchema(database: DatabaseSync): void {
  const found = schemaVersion(database)
  if (found === SCHEMA_VERSION) return
  if (found === 0) throw new Error('The file is no database of this service.')
  const advice = found > SCHEMA_VERSION ? 'use a newer version' : 'start the service on it once'
  throw new Error(
    `The database has schema ${found}, and this version of the service needs ${SCHEMA_VERSION}: ${advice}.`,
  )
}

/**
 * Applies what is missing, one transaction a file. Safe when several processes start at once:
 * the lock is taken before the version is read. Throws ConfigurationError when the database is newer
 * than this build, or another program's.
 */
export function migrate(database: DatabaseSync): void {
  for (const { version, file } of MIGRATIONS) {
    if (schemaVersion(database) >= version) continue
    database.exec('begin immediate')
    try {
      const found = schemaVersion(database)
      if (found === 0) requireEmpty(database)
      if (found < version) {
        database.exec(readFileSync(new URL(file, DIRECTORY), 'utf8'))
        database.exec(`pragma user_version = ${version}`)
      }
      database.exec('commit')
    } catch (error) {
      if (database.isTransaction) database.exec('rollback')
      throw error
    }
  }
  const found = schemaVersion(database)
  if (found > SCHEMA_VERSION) {
    throw new ConfigurationError(
      `The database has schema ${found}, and this version of the service knows ${SCHEMA_VERSION}: start a newer version of the service.`,
    )
  }
}

function requireEmpty(database: DatabaseSync): void {
  if (database.prepare('select 1 from sqlite_schema limit 1').get() === undefined) return
  throw new ConfigurationError(
    'The file holds tables of another program: give the service one of its own.',
  )
}
