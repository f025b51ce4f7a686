// Connections to SQLite files, with the settings that make a commit durable and the proof of them.
import {
  chmodSync,
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConfigurationError, StoreFailedError } from '../../errors.ts'
import { isBusy } from './faults.ts'
import { logOf, requireSoundLog } from './sound-log.ts'

/** The first release without the bug that could corrupt a database when its log is reset. */
const MINIMUM_VERSION = [3, 51, 3] as const
const SYNCHRONOUS_FULL = 2
/** How long a transaction waits for another process's lock before it is unavailable, in ms. */
export const BUSY_TIMEOUT_MS = 2000
const RETRY_MS = 10
/** What nobody wakes: for waiting in a thread that has nothing else to do. */
const NOBODY = new Int32Array(new SharedArrayBuffer(4))
/** What the log grows by where many messages come at once. */
const ROOM_BYTES = 1024 * 1024
const JOURNAL_SIZE_LIMIT_BYTES = 64 * 1024 * 1024

/**
 * Creates the directory (0700) and an empty file (0600) where they do not exist yet. Throws where
 * something else has the name.
 */
export function createPrivateFile(file: string): void {
  createDirectory(dirname(file))
  requireRegularFile(file)
  closeSync(openSync(file, 'a', 0o600))
}

/** What is no file is not to be opened: a pipe would never be, and a device is not ours to close. */
function requireRegularFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile()) throw new ConfigurationError('It is no regular file.')
}

// One level after the other: Node's own recursion never ends where a file system, such as /proc,
// says of a new directory that it does not exist.
function createDirectory(directory: string): void {
  if (existsSync(directory)) return
  createDirectory(dirname(directory))
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    if (!existsSync(directory)) throw error
  }
}

/** Takes group and others their access to a database file; its log inherits the mode. */
export function makePrivate(file: string): void {
  chmodSync(file, 0o600)
}

/**
 * The connection that commits messages: WAL and synchronous=FULL, so that a commit has been
 * fsynced when it returns. Checkpoints are the caller's, off the path of an acknowledgement. What is
 * deleted is overwritten, so that a body that has expired is in no free page of the file.
 * Throws where the log lost commits.
 */
export function openWriter(file: string): DatabaseSync {
  requireSoundLog(file)
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  requireVersion(database)
  useWriteAheadLog(database)
  database.exec(`
    pragma synchronous = full;
    pragma wal_autocheckpoint = 0;
    pragma journal_size_limit = ${JOURNAL_SIZE_LIMIT_BYTES};
    pragma cache_size = -8000;
    pragma secure_delete = on;
  `)
  return database
}

/**
 * Gives a new file a write-ahead log; one that has it stays as it is. Where two do so at once, SQLite
 * refuses one of them at once, whatever its timeout: so it is tried again for as long. Throws where
 * that is not enough, or where there can be no such log.
 */
export function useWriteAheadLog(database: DatabaseSync): void {
  const deadline = performance.now() + BUSY_TIMEOUT_MS
  for (;;) {
    try {
      const mode = pragma(database, 'journal_mode = wal')
      if (mode === 'wal') return
      throw new Error(`The database can't use a write-ahead log (it is "${mode}").`)
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      Atomics.wait(NOBODY, 0, 0, RETRY_MS)
    }
  }
}

/** A connection that only reads; it never blocks the writer nor is blocked by it. */
export function openReader(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, readOnly: true })
  database.exec('pragma cache_size = -8000')
  return database
}

/**
 * A reader of a file that may not be open yet. Throws where its log lost commits, and where it is
 * no regular file.
 */
export function openFirstReader(file: string): DatabaseSync {
  requireRegularFile(file)
  requireSoundLog(file)
  return openReader(file)
}

/** A connection that copies the log into the database file, beside the one that writes. */
export function openCheckpointer(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  database.exec('pragma synchronous = full; pragma wal_autocheckpoint = 0')
  return database
}

/**
 * Copies as much of the log into the database file as no reader needs. Where that is all, the file
 * is fsynced too, and the next commit begins the log anew.
 */
export function checkpoint(database: DatabaseSync): void {
  pragma(database, 'wal_checkpoint(passive)')
}

/**
 * Copies the log into the database file, and waits for nobody. Returns whether all of it was copied and
 * nobody reads from it any more: then the next commit begins it anew.
 */
export function restartLog(database: DatabaseSync): boolean {
  database.exec('pragma busy_timeout = 0')
  try {
    return pragma(database, 'wal_checkpoint(restart)') === 0
  } finally {
    database.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
  }
}

/** Copies the log into the database file, as far as no reader needs it, and leaves it empty. */
export function emptyLog(database: DatabaseSync): void {
  pragma(database, 'wal_checkpoint(truncate)')
}

/** Whether the disk of a file has room for messages. */
export function hasRoom(file: string): boolean {
  return freeBytes(file) >= ROOM_BYTES
}

/** How long the log of a database file can get, in bytes: a new one lies where the last one did. */
export function roomForLog(file: string): number {
  return freeBytes(file) + (statSync(logOf(file), { throwIfNoEntry: false })?.size ?? 0)
}

function freeBytes(file: string): number {
  const { bavail, bsize } = statfsSync(dirname(file))
  return bavail * bsize
}

/** Fsyncs a database file beside its connections. Throws StoreFailedError. */
export function flush(handle: number): void {
  try {
    fdatasyncSync(handle)
  } catch (error) {
    throw new StoreFailedError('The database file could not be flushed to its disk.', {
      cause: error,
    })
  }
}

/**
 * Throws unless commits are durable. To be called after a first write: some builds of SQLite
 * lower the setting only then.
 */
export function requireDurability(database: DatabaseSync): void {
  const synchronous = pragma(database, 'synchronous')
  if (synchronous !== SYNCHRONOUS_FULL) {
    throw new Error(`The database runs with synchronous=${synchronous} and not FULL.`)
  }
}

/** The first value a pragma answers. Only for constant texts: pragmas take no parameters. */
export function pragma(database: DatabaseSync, text: string): unknown {
  const row = database.prepare(`pragma ${text}`).get()
  return row === undefined ? undefined : Object.values(row)[0]
}

/** How many rows a connection has changed so far. */
export function rowsChanged(database: DatabaseSync): number {
  const { changes } = database.prepare('select total_changes() as changes').get() as {
    changes: number
  }
  return changes
}

function requireVersion(database: DatabaseSync): void {
  const { version } = database.prepare('select sqlite_version() as version').get() as {
    version: string
  }
  const parts = version.split('.').map(Number)
  for (const [i, minimum] of MINIMUM_VERSION.entries()) {
    const part = parts[i] ?? 0
    if (part > minimum) return
    if (part < minimum) {
      throw new ConfigurationError(
        `SQLite ${version} is older than ${MINIMUM_VERSION.join('.')}: use a Node.js that brings a newer one, such as that of "npm ci".`,
      )
    }
  }
}
