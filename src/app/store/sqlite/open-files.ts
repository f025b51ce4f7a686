// Whether the files that SQLite has open are still those at their paths. SQLite itself goes on with
// files that were deleted or replaced, and reads one that was overwritten together with a log that
// is not its own: whatever is committed then is gone at the next start, or damaged.
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { StoreFailedError } from '../../errors.ts'
import { indexOfLog, logOf, VERSION_AT, WITH_LOG } from './sound-log.ts'

// https://www.sqlite.org/fileformat2.html#the_database_header
const HEADER_BYTES = 32
/** A counter of changes, of which only some count, and the pages that the database has. */
const STATE_AT = 24

type Place = { readonly device: bigint; readonly inode: bigint }

/** A database file, its log and the index of its log, as one process has them open. */
export class OpenFiles {
  readonly #file: string
  readonly #log: string
  readonly #places: Map<string, Place | null>
  // Whoever closes it takes the locks that the process has on the file with it: so not before the
  // connection is closed.
  readonly #handle: number
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #state = 0n

  /** Before SQLite opens the file, which has to be there: else another could take its place meanwhile. */
  constructor(file: string) {
    this.#file = file
    this.#log = logOf(file)
    this.#places = new Map([[file, placeOf(file)]])
    this.#handle = openSync(file, 'r')
  }

  /** After the first commit: from then on SQLite keeps its log, and the index of that, open. */
  takeLog(): void {
    for (const file of [this.#log, indexOfLog(this.#log)]) {
      this.#places.set(file, placeOf(file))
    }
  }

  /**
   * Throws StoreFailedError where one of the files is another one by now, or none. `saveLog` is
   * called before, where the log has still to be taken into the database that it belongs to.
   */
  requireInPlace(saveLog: () => void): void {
    this.#requireContent()
    for (const [file, place] of this.#places) {
      if (isSamePlace(placeOf(file), place)) continue
      if (file === this.#file || file === this.#log) saveLog()
      throw new StoreFailedError(
        `${file} was deleted or replaced while it was open. Stop the service before its files are moved, deleted or restored.`,
      )
    }
  }

  close(): void {
    closeSync(this.#handle)
  }

  /**
   * Only checkpoints write to the file. None turns off its log, and none takes it back to an earlier
   * state, while whoever copies another one over it does one or the other: a backup has no log.
   */
  #requireContent(): void {
    const length = looked(this.#file, () =>
      readSync(this.#handle, this.#header, 0, HEADER_BYTES, 0),
    )
    const state = this.#header.readBigUInt64BE(STATE_AT)
    const isOurs =
      length === HEADER_BYTES &&
      this.#header[VERSION_AT] === WITH_LOG &&
      BigInt.asIntN(64, state - this.#state) >= 0n
    if (!isOurs) {
      throw new StoreFailedError(
        `${this.#file} was overwritten while it was open, and may be damaged. Stop the service, and restore a backup as docs/deployment.md says.`,
      )
    }
    this.#state = state
  }
}

/** Null where nothing has the name. */
function placeOf(file: string): Place | null {
  const found = looked(file, () => statSync(file, { bigint: true, throwIfNoEntry: false }))
  return found === undefined ? null : { device: found.dev, inode: found.ino }
}

function looked<Result>(file: string, look: () => Result): Result {
  try {
    return look()
  } catch (error) {
    throw new StoreFailedError(`${file} can't be looked at.`, { cause: error })
  }
}

function isSamePlace(a: Place | null, b: Place | null): boolean {
  return a !== null && a.device === b?.device && a.inode === b.inode
}
