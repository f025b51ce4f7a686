// Where a database is, for a log: without the user and the password of its URL.
import { resolve } from 'node:path'
import type { DatabaseUrl } from './database-url.ts'
import { serverPlace } from './postgres/server-place.ts'

/** The engine, and the file, or the server's address and the database. */
export function databasePlace(url: DatabaseUrl): Readonly<Record<string, string | number>> {
  if (url.engine === 'postgresql') return { engine: url.engine, ...serverPlace(url.url) }
  return { engine: url.engine, file: url.file === null ? ':memory:' : resolve(url.file) }
}
