// The write lock of a database file, held as another process would hold it.
import { DatabaseSync } from 'node:sqlite'

/** A service commits on its own too: longer than any commit takes, in ms. */
export const COMMIT_TIMEOUT_MS = 10_000

/** Takes the write lock of a database file, after whoever has it; the result gives it back, once. */
export function holdWriteLock(file: string): () => void {
  const database = new DatabaseSync(file, { timeout: COMMIT_TIMEOUT_MS })
  database.exec('begin immediate')
  return () => {
    if (!database.isOpen) return
    database.exec('rollback')
    database.close()
  }
}
