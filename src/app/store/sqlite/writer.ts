// The one write connection: commits batches, guards what was committed, checkpoints its log.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StoreFailedError, StoreUnavailableError } from '../../errors.ts'
import type { InsertedBatch } from '../store.ts'
import type { PackedBatch } from './batch.ts'
import { BatchWriter } from './batch-writer.ts'
import {
  checkpoint,
  emptyLog,
  hasRoom,
  openWriter,
  requireDurability,
  restartLog,
  roomForLog,
  rowsChanged,
} from './connection.ts'
import { Expiry, type Look } from './expiry.ts'
import { storeError } from './faults.ts'
import { OpenFiles } from './open-files.ts'
import { migrate, SCHEMA_VERSION, schemaVersion } from './schema.ts'
import { requireWholeStore } from './whole-store.ts'

/** What the thread answers for a batch: the outcomes, and how long the log has become. */
export type CommittedBatch = InsertedBatch & {
  /** Pages in the write-ahead log. */
  readonly logFrames: number
}

/** Owns the write connection of a database file. Every method is synchronous and blocks. */
export class Writer {
  readonly #file: string
  /** Null where nothing depends on what the file is called. */
  readonly #files: OpenFiles | null
  readonly #database: DatabaseSync
  readonly #batches: BatchWriter
  readonly #expiry: Expiry
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #logFrames: StatementSync
  readonly #touch: StatementSync
  #failure: StoreFailedError | null = null
  /** No change was committed since one could not be: for want of room, or of the lock. */
  #isUnavailable = false

  /**
   * Opens the file, which has to be there, brings its schema up to date and proves that commits are
   * durable. A temporary one is not expected to be found again.
   */
  constructor(file: string, { isTemporary = false } = {}) {
    this.#file = file
    this.#files = isTemporary ? null : new OpenFiles(file)
    this.#database = openWriter(file)
    migrate(this.#database)
    requireWholeStore(this.#database)
    this.#touch = this.#database.prepare('update store set opened_at = ? where id = 1')
    this.#touch.run(Date.now())
    this.#files?.takeLog()
    requireDurability(this.#database)
    this.#batches = new BatchWriter(this.#database)
    this.#expiry = new Expiry(this.#database)
    this.#begin = this.#database.prepare('begin immediate')
    this.#commit = this.#database.prepare('commit')
    this.#logFrames = this.#database.prepare('pragma wal_checkpoint(noop)')
  }

  /** Stores a batch in one transaction. Throws as MessageStore.insert rejects. */
  insert(batch: PackedBatch): CommittedBatch {
    const start = performance.now()
    const outcomes = this.#guard(() => {
      const stored = this.#transaction(() => this.#batches.insert(batch))
      this.#requireInPlace()
      return stored
    })
    const seconds = (performance.now() - start) / 1000
    const { log } = this.#guard(() => this.#logFrames.get()) as { log: number }
    return { outcomes, seconds, logFrames: log }
  }

  /** Looks for raw bodies that arrived before this moment (ms since 1970), for `deleteExpired`. */
  findExpired(before: number): Look {
    return this.#guard(() => this.#expiry.look(before))
  }

  /** Deletes some of what was found, once the log begins anew; false where the disk has no room for that. */
  deleteExpired(before: number): boolean {
    return this.#guard(() => {
      // Half of it: messages need some too.
      const next = this.#expiry.next(before, roomForLog(this.#file) / 2)
      if (next === 'no room') return false
      if (next !== null) this.#transaction(() => this.#expiry.delete(next, before))
      return true
    })
  }

  /**
   * Throws unless the files are in place, the schema is current and no commit has failed for good.
   * Where the last one failed for now, one is tried: it takes the lock and writes, which it would not
   * without a change. What room it takes may be left of the one that failed, so the disk itself is
   * asked too.
   */
  probe(): void {
    this.#guard(() => this.#requireInPlace())
    const version = this.#guard(() => schemaVersion(this.#database))
    if (version !== SCHEMA_VERSION) {
      throw new Error(`The schema is at version ${version} and not ${SCHEMA_VERSION}.`)
    }
    if (!this.#isUnavailable) return
    if (!hasRoom(this.#file)) throw new StoreUnavailableError('The disk has no room.')
    this.#guard(() => this.#transaction(() => this.#touch.run(Date.now())))
  }

  /** Copies what is left of the log into the database file, after which it begins anew. */
  checkpoint(): void {
    this.#guard(() => checkpoint(this.#database))
  }

  /** Copies all of the log. Returns whether the next commit begins it anew, which a reader may prevent. */
  restartLog(): boolean {
    return this.#guard(() => restartLog(this.#database))
  }

  close(): void {
    this.#database.close()
    this.#files?.close()
  }

  /** A log that lost its name is still good, and one that stays behind would be read with another file. */
  #requireInPlace(): void {
    this.#files?.requireInPlace(() => emptyLog(this.#database))
  }

  #transaction<Result>(work: () => Result): Result {
    this.#begin.run()
    const changes = this.#isUnavailable ? rowsChanged(this.#database) : 0
    try {
      const result = work()
      this.#commit.run()
      // What changes nothing, as a batch that is stored already, needs no room.
      if (this.#isUnavailable) this.#isUnavailable = rowsChanged(this.#database) === changes
      return result
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      this.#batches.reset()
      throw error
    }
  }

  /** Once a commit has failed for good, nothing is tried again. */
  #guard<Result>(work: () => Result): Result {
    if (this.#failure !== null) throw this.#failure
    try {
      return work()
    } catch (error) {
      const known = storeError(error)
      if (known instanceof StoreFailedError) this.#failure = known
      if (known instanceof StoreUnavailableError) this.#isUnavailable = true
      throw known
    }
  }
}
