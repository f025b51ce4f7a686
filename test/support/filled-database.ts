// A database file with messages in it and a search index that is up to date.
import { DatabaseSync } from 'node:sqlite'
import type { Intake } from '../../src/app/model/event.ts'
import { parseFlatMessage } from '../../src/app/receive/flat.ts'
import { openSqliteStore } from '../../src/app/store/sqlite/sqlite-store.ts'
import { type FlatBody, toBytes } from './signed.ts'
import { until } from './until.ts'

/** Stores `bodies` in `file`, waits for the index and closes everything. */
export async function fillDatabase(file: string, bodies: readonly FlatBody[]): Promise<void> {
  const errors: unknown[] = []
  const store = await openSqliteStore({
    file,
    onIndexError: (error) => errors.push(error),
  })
  const intakes = bodies.map((body): Intake => {
    const bytes = toBytes(body)
    const events = [parseFlatMessage(bytes)]
    return { provider: 'flat', body: bytes, headers: {}, receivedAt: Date.now(), events }
  })
  await store.insert(intakes)
  await until('every message is indexed', () => indexed(file) === bodies.length)
  await store.close()
  if (errors.length > 0) throw new AggregateError(errors, 'The index could not be built.')
}

/** The number of the last message in the search index beside `file`. */
export function indexed(file: string): number {
  const index = new DatabaseSync(file.replace(/\.db$/, '-search.db'), { readOnly: true })
  try {
    const row = index.prepare('select watermark from search_state').get()
    return Number(row?.['watermark'] ?? 0)
  } finally {
    index.close()
  }
}
