// A store on either engine, of which nothing fails unseen.
import assert from 'node:assert/strict'
import { type DatabaseUrl, parseDatabaseUrl } from '../../src/app/store/database-url.ts'
import { openStore } from '../../src/app/store/open.ts'
import type { MessageStore } from '../../src/app/store/store.ts'

/** What DATABASE_URL would mean with this text, which has to mean something. */
export function databaseUrl(text: string): DatabaseUrl {
  const url = parseDatabaseUrl(text)
  assert.ok(url)
  return url
}

/** The store of a database; whoever opens it closes it. */
export function openEitherStore(url: DatabaseUrl): Promise<MessageStore> {
  const onError = assert.ifError
  const options = { poolSize: 4, onCommitted: () => {} }
  return openStore({ url, ...options, onIndexError: onError, onUpkeepError: onError })
}
