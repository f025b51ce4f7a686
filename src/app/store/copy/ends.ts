// From URLs to the two ends of a copy.
import type { DatabaseUrl } from '../database-url.ts'
import { postgresSource, postgresTarget } from '../postgres/copy-end.ts'
import { sqliteSource, sqliteTarget } from '../sqlite/copy-end.ts'
import type { CopySource, CopyTarget } from './copy-store.ts'

/** Rejects where there is no store of this version, or only a temporary one. */
export async function openCopySource(url: DatabaseUrl): Promise<CopySource> {
  return url.engine === 'sqlite' ? sqliteSource(fileOf(url.file)) : await postgresSource(url.url)
}

/** Creates the store where there is none yet. Rejects where it would only be a temporary one. */
export async function openCopyTarget(url: DatabaseUrl): Promise<CopyTarget> {
  return url.engine === 'sqlite' ? sqliteTarget(fileOf(url.file)) : await postgresTarget(url.url)
}

function fileOf(file: string | null): string {
  if (file === null) throw new Error('A temporary database can neither be copied nor be copied to.')
  return file
}
