// Whether a database file has a store in it that can be read from its beginning to its end.
import type { DatabaseSync } from 'node:sqlite'
import { UNFINISHED } from '../sql/tables.ts'
import { openFirstReader } from './connection.ts'
import { requireSchema, SCHEMA_VERSION, schemaVersion } from './schema.ts'

export type FileState = {
  /** The version of the schema; 0 for an empty file. */
  readonly found: number
  readonly needed: number
  readonly isUnfinished: boolean
}

/**
 * Throws, with what to do, where there is no store that this build can work with, and where it is a copy
 * that is not complete.
 */
export function requireWholeStore(database: DatabaseSync): void {
  requireSchema(database)
  if (isUnfinished(database)) {
    throw new Error(
      'It is a copy that is not complete: run migrate-store again, with the same two URLs.',
    )
  }
}

/** What is in a file. Throws where that is no database. */
export function inspectFile(file: string): FileState {
  const database = openFirstReader(file)
  try {
    const found = schemaVersion(database)
    const needed = SCHEMA_VERSION
    return { found, needed, isUnfinished: found === needed && isUnfinished(database) }
  } finally {
    database.close()
  }
}

function isUnfinished(database: DatabaseSync): boolean {
  const store = database.prepare('select identity from store').get()
  return String(store?.['identity']).endsWith(UNFINISHED)
}
