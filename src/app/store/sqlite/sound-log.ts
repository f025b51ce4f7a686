// Whether a write-ahead log is sound. SQLite reads it up to the first frame that is not as it was
// written and takes the rest for a commit that a crash cut off. So it is, where nothing was
// committed after that frame. Where something was, messages that were acknowledged are behind it,
// and would vanish without a word. A log says nothing of whose it is, so beside a database that took
// the place of another one, it would be read with pages that are not its own.
import { closeSync, existsSync, fstatSync, openSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { LOG_HEADER_BYTES, readAt, SMALLEST_LOG_BYTES, WriteAheadLog } from './write-ahead-log.ts'

/** How often a log that changes meanwhile is looked at. */
const MAX_LOOKS = 20
/** Where the header of a database says whether it has a log, and what it says. */
export const VERSION_AT = 18
export const WITH_LOG = 2
const WITHOUT_LOG = 1

/** Where the readable part of a log ends, in bytes, and of which generation it was then. */
type Damage = { readonly offset: number; readonly header: Buffer }

/** The log of a database file: beside the file itself, where that has another name too. */
export function logOf(file: string): string {
  return `${existsSync(file) ? realpathSync(file) : file}-wal`
}

/** The index of a log, which processes share. */
export function indexOfLog(log: string): string {
  return log.replace(/wal$/, 'shm')
}

/**
 * Throws where acknowledged commits in the log of a database file can't be read any more, where
 * the log belongs to another database, and as `lostCommits` does.
 */
export function requireSoundLog(file: string): void {
  const lost = lostCommits(file)
  if (lost !== null) throw new Error(lost)
}

/**
 * Says where the log of a database file is damaged in front of acknowledged commits, or that it is of
 * another database; null where it is sound. Safe beside processes that write to it. What is missing at
 * its end can't be told from what a crash kept from being written. Throws where the log never holds still.
 */
export function lostCommits(file: string): string | null {
  const log = logOf(file)
  const handle = openIfThere(log)
  if (handle === null) return null
  try {
    if (fstatSync(handle).size < SMALLEST_LOG_BYTES) return null
    if (isWithoutLog(file)) return foreignSentenceFor(log)
    return lostIn(handle, log)
  } finally {
    closeSync(handle)
  }
}

/**
 * Somebody may write to the log meanwhile, or begin it anew behind the header that was read, which leaves
 * frames of two generations. So damage is what two looks at one generation agree on.
 */
function lostIn(handle: number, log: string): string | null {
  let last: Damage | null = null
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const found = damageIn(handle)
    if (found === null) return null
    if (last !== null && found.offset === last.offset && isOfOneLog(handle, last, found)) {
      return sentenceFor(log, found.offset)
    }
    last = found
  }
  throw new Error(
    `The log ${basename(log)} changed at every look, so nobody knows whether it is sound. Try again while less is stored, or while the service is stopped.`,
  )
}

/** Whether both looks, and one at this moment, are at the same generation of a log. */
function isOfOneLog(handle: number, last: Damage, found: Damage): boolean {
  const header = readAt(handle, 0, LOG_HEADER_BYTES)
  return found.header.equals(last.header) && found.header.equals(header)
}

function openIfThere(file: string): number | null {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** A database that has a log says so before there is one: SQLite would read the two together. */
function isWithoutLog(file: string): boolean {
  const handle = openIfThere(file)
  if (handle === null) return false
  try {
    return readAt(handle, VERSION_AT, 1)[0] === WITHOUT_LOG
  } finally {
    closeSync(handle)
  }
}

function foreignSentenceFor(log: string): string {
  const name = basename(log)
  return `The log ${name} is not of this database, as where a backup was put in the place of another one. To go on with the database alone, remove ${name} and ${indexOfLog(name)}; see "Restore" in docs/deployment.md.`
}

function sentenceFor(log: string, offset: number): string {
  return `The log ${basename(log)} is damaged at byte ${offset}, and what was stored after that can't be read. Restore a backup, or see "A damaged log" in docs/deployment.md.`
}

/** What one look at a log finds; null where no commits follow the readable part. */
function damageIn(handle: number): Damage | null {
  const size = fstatSync(handle).size
  if (size < SMALLEST_LOG_BYTES) return null
  const header = readAt(handle, 0, LOG_HEADER_BYTES)
  const log = WriteAheadLog.open(handle, size, header)
  const offset = log === null ? 0 : log.damage()
  return offset === null ? null : { offset, header }
}
