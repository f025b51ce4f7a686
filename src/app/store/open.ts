// From a URL to a store.
import type { DatabaseUrl } from './database-url.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import type { MessageStore } from './store.ts'

export type OpenOptions = {
  readonly url: DatabaseUrl
  /** Told of faults in the search index, which lags behind until they pass. */
  readonly onIndexError: (error: unknown) => void
}

/** Opens the store a URL names. Rejects with the reason when it can't be used. */
export function openStore({ url, onIndexError }: OpenOptions): Promise<MessageStore> {
  return openSqliteStore({ file: url.file, onIndexError })
}
