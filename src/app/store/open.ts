// From a URL to a store.
import type { DatabaseUrl } from './database-url.ts'
import type { OnHeldUp } from './held-up.ts'
import { openPostgresStore } from './postgres/postgres-store.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import type { MessageStore } from './store.ts'

export type OpenOptions = {
  readonly url: DatabaseUrl
  /** Connections to a database server. */
  readonly poolSize: number
  /** Told of faults in the search index, which lags behind until they pass. */
  readonly onIndexError: (error: unknown) => void
  /** Told of each part of what was stored that the index has taken in. */
  readonly onIndexed?: () => void
  /** Told of other faults that pass, and of a server that can't be reached yet. */
  readonly onUpkeepError: (error: unknown) => void
  /** Told of what has kept the tables of the next days from being made for a day. */
  readonly onUpkeepHeldUp?: OnHeldUp
  /** Told when a server that could not be reached at first has been. */
  readonly onReached?: () => void
  /** Told by how many seconds the clock here is ahead of the database server's, or behind (below 0). */
  readonly onClocksApart?: (secondsAhead: number) => void
  /** Told at the start where others may create in the database's schema, with the SQL that ends it. */
  readonly onForeignCreators?: (remedy: string) => void
  /** Another process on the same database may have committed something. */
  readonly onCommitted: () => void
}

/**
 * Opens the store a URL names. Rejects with the reason when it can't be used. A server that can't
 * be reached is waited for: meanwhile the store is unavailable.
 */
export function openStore({ url, ...options }: OpenOptions): Promise<MessageStore> {
  return url.engine === 'sqlite'
    ? openSqliteStore({ ...options, file: url.file })
    : openPostgresStore({ ...options, url: url.url })
}
