// Everything that is stored against itself, in a database that a URL names.
import type { DatabaseUrl } from './database-url.ts'
import { verifyDatabase as verifyPostgres } from './postgres/verify.ts'
import { searchFileOf } from './sqlite/search-index.ts'
import { verifyDatabase as verifySqlite } from './sqlite/verify.ts'
import type { Verification, Verified } from './verify/verification.ts'

/** Rejects with the reason where there is no store that can be read. */
export async function verifyStore(url: DatabaseUrl, verification: Verification): Promise<Verified> {
  if (url.engine === 'postgresql') return await verifyPostgres(url.url, verification)
  if (url.file === null) throw new Error('A temporary database can only be read by its service.')
  return verifySqlite({ ...verification, messages: url.file, search: searchFileOf(url.file) })
}
