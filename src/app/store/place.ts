// Where a database is, for a log: without the user and the password of its URL.
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import type { DatabaseUrl } from './database-url.ts'
import { serverPlace } from './postgres/server-place.ts'

/** The engine, and the file, or where a temporary one is, or the server's address and the database. */
export function databasePlace(url: DatabaseUrl): Readonly<Record<string, string | number>> {
  if (url.engine === 'postgresql') return { engine: url.engine, ...serverPlace(url.url) }
  if (url.file === null) return { engine: url.engine, temporary_file_in: tmpdir() }
  return { engine: url.engine, file: resolve(url.file) }
}
