// Everything that matches, from a database that a URL names.
import type { Message } from '../model/message.ts'
import type { DatabaseUrl } from './database-url.ts'
import { scanMessages as scanPostgres } from './postgres/scan.ts'
import type { Scan } from './sql/queries.ts'
import { scanMessages as scanSqlite } from './sqlite/scan.ts'

/** The messages that match at this moment, page by page. The file of a SQLite URL has to exist. */
export function scanMessages(
  url: DatabaseUrl,
  scan: Scan,
): AsyncIterable<readonly Message[]> | Iterable<readonly Message[]> {
  if (url.engine === 'postgresql') return scanPostgres(url.url, scan)
  if (url.file === null) throw new Error('A temporary database can only be read by its service.')
  return scanSqlite(url.file, scan)
}
