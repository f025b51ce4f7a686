// What an error of SQLite means for the service: try later, or trust this process no more.
import { StoreFailedError, StoreUnavailableError } from '../../errors.ts'

// Primary result codes, https://sqlite.org/rescode.html
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const PROTOCOL = 15
const NOTADB = 26
/** What processes share about the log can't grow: there is no room, and no file is in doubt. */
const IOERR_SHMSIZE = 4874

const TRANSIENT = new Set([BUSY, LOCKED, READONLY, FULL, CANTOPEN, PROTOCOL])
const FATAL = new Set([IOERR, CORRUPT, NOTADB])

/**
 * What an error means: StoreUnavailableError where trying later may succeed, StoreFailedError where
 * nothing is to be trusted any more; any other error is returned as it is. After an I/O error SQLite
 * itself would carry on with the next commit as if nothing had happened, although the system may have
 * dropped the unwritten pages: so that, and damage, is a StoreFailedError.
 */
export function storeError(error: unknown): unknown {
  const code = resultCode(error)
  if (code === null) return error
  const reason = `SQLite answered ${code} (${String((error as { errstr?: unknown }).errstr)}).`
  const isTransient = code === IOERR_SHMSIZE || TRANSIENT.has(code & 0xff)
  if (isTransient) return new StoreUnavailableError(reason, { cause: error })
  if (FATAL.has(code & 0xff)) return new StoreFailedError(reason, { cause: error })
  return error
}

/** Whether somebody else has the lock that a statement needed. */
export function isBusy(error: unknown): boolean {
  return ((resultCode(error) ?? 0) & 0xff) === BUSY
}

/** Why a file can't be read or written by a command, in words that go on after "can't be used:". */
export function fileFault(error: unknown): string {
  const primary = (resultCode(error) ?? 0) & 0xff
  if (primary === READONLY) {
    return 'this user may not write it or beside it, which SQLite needs even to read: run this as the user of the service.'
  }
  if (primary === BUSY) {
    return 'another process has kept it, or the search index beside it, locked for two seconds: wait for it or end it (fuser and lsof name who has a file open), and try again.'
  }
  if (primary === CANTOPEN) {
    return 'this user may not open it, or not what SQLite has beside it: run this as the user of the service.'
  }
  return (error instanceof Error ? error.message : String(error)).replace(/\.?$/, '.')
}

/**
 * As storeError, but where somebody else has the lock in the words for whoever opens the file: nothing
 * goes on by itself then.
 */
export function openingError(error: unknown): unknown {
  if (!isBusy(error)) return storeError(error)
  return new StoreUnavailableError(fileFault(error), { cause: error })
}

/** The extended result code of an error of node:sqlite; null for any other error. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error)) return null
  return typeof error.errcode === 'number' ? error.errcode : null
}
