// The one write connection: stores batches, keeps the counters, checkpoints its log.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StoreFailedError, StoreUnavailableError } from '../../errors.ts'
import type { IncomingEvent, Intake, MessageEvent } from '../../model/event.ts'
import type { InsertOutcome } from '../../model/message.ts'
import { digestOf } from '../body.ts'
import type { InsertedBatch } from '../store.ts'
import { type PackedBatch, unpackBatch } from './batch.ts'
import {
  checkpoint,
  emptyLog,
  hasRoom,
  openWriter,
  requireDurability,
  restartLog,
  roomForLog,
} from './connection.ts'
import { ContactBook } from './contact-book.ts'
import { Counters } from './counters.ts'
import { EventWriter } from './event-writer.ts'
import { Expiry, type Look } from './expiry.ts'
import { storeError } from './faults.ts'
import { IntakeWriter } from './intakes.ts'
import { type Arrival, fillingEvent, isSame, MessageWriter } from './message-writer.ts'
import { OpenFiles } from './open-files.ts'
import { migrate, SCHEMA_VERSION, schemaVersion } from './schema.ts'
import { requireWholeStore } from './whole-store.ts'

/** What the thread answers for a batch: the outcomes, and how long the log has become. */
export type CommittedBatch = InsertedBatch & {
  /** Pages in the write-ahead log. */
  readonly logFrames: number
}

type Totals = { last_seq: number; last_intake: number; messages: number; senders: number }

const CREATED: InsertOutcome = { kind: 'created' }
const DUPLICATE: InsertOutcome = { kind: 'duplicate' }

/** Owns the write connection of a database file. Every method is synchronous and blocks. */
export class Writer {
  readonly #file: string
  /** Null where nothing depends on what the file is called. */
  readonly #files: OpenFiles | null
  readonly #database: DatabaseSync
  readonly #contacts: ContactBook
  readonly #counters: Counters
  readonly #messages: MessageWriter
  readonly #events: EventWriter
  readonly #intakes: IntakeWriter
  readonly #expiry: Expiry
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #readTotals: StatementSync
  readonly #writeTotals: StatementSync
  readonly #logFrames: StatementSync
  readonly #touch: StatementSync
  #totals: Totals = { last_seq: 0, last_intake: 0, messages: 0, senders: 0 }
  #failure: StoreFailedError | null = null
  /** Nothing was committed since something could not be: for want of room, or of the lock. */
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
    this.#contacts = new ContactBook(this.#database)
    this.#counters = new Counters(this.#database)
    this.#messages = new MessageWriter(this.#database, this.#contacts, this.#counters)
    this.#events = new EventWriter(this.#database, this.#contacts, this.#counters)
    this.#intakes = new IntakeWriter(this.#database)
    this.#expiry = new Expiry(this.#database)
    this.#begin = this.#database.prepare('begin immediate')
    this.#commit = this.#database.prepare('commit')
    this.#readTotals = this.#database.prepare(
      'select last_seq, last_intake, messages, senders from totals',
    )
    this.#writeTotals = this.#database.prepare(
      'update totals set last_seq = ?, last_intake = ?, messages = ?, senders = ?',
    )
    this.#logFrames = this.#database.prepare('pragma wal_checkpoint(noop)')
  }

  /** Stores a batch in one transaction. Throws as MessageStore.insert rejects. */
  insert(batch: PackedBatch): CommittedBatch {
    const start = performance.now()
    const outcomes = this.#guard(() => {
      const stored = this.#transaction(() => this.#insertAll(batch))
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
      // A commit of nothing would be taken for a sign that the disk has room again.
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

  #insertAll(batch: PackedBatch): InsertOutcome[][] {
    this.#totals = this.#readTotals.get() as Totals
    const before = this.#totals.last_seq
    const outcomes = unpackBatch(batch).map((intake) => this.#insertIntake(intake))
    const { last_seq, last_intake, messages, senders } = this.#totals
    this.#contacts.flush()
    this.#messages.flush()
    this.#events.flush()
    const newSenders = this.#counters.flush()
    if (last_seq > before)
      this.#writeTotals.run(last_seq, last_intake, messages, senders + newSenders)
    return outcomes
  }

  /** All events of one request. Its body is kept where any of them is new. */
  #insertIntake(intake: Intake): InsertOutcome[] {
    const { provider, receivedAt, body } = intake
    const before = this.#totals.last_seq
    const digest = digestOf(body)
    const arrival = { intake: this.#totals.last_intake + 1, provider, receivedAt }
    const outcomes = intake.events.map((event) => this.#insertEvent(event, arrival, digest))
    if (this.#totals.last_seq > before) {
      this.#intakes.insert(arrival.intake, intake, digest)
      this.#totals.last_intake = arrival.intake
    }
    return outcomes
  }

  #insertEvent(event: IncomingEvent, arrival: Arrival, digest: Buffer): InsertOutcome {
    const seq = this.#totals.last_seq + 1
    if (event.kind === 'message') return this.#insertMessage(seq, event, arrival, digest)
    if (!this.#events.insert(seq, event, arrival)) return DUPLICATE
    this.#totals.last_seq = seq
    this.#messages.takeEdit(event)
    return CREATED
  }

  #insertMessage(seq: number, event: MessageEvent, arrival: Arrival, digest: Buffer) {
    if (this.#messages.insert(seq, event, arrival)) {
      this.#totals.last_seq = seq
      this.#totals.messages++
      return CREATED
    }
    const stored = this.#messages.find(event)
    const completed = this.#messages.complete(event, stored)
    if (completed !== null) return this.#insertEvent(fillingEvent(completed), arrival, digest)
    if (isSame(event, stored)) return DUPLICATE
    const receivedSha256 = digest.toString('hex')
    // The body that is arriving is stored after its events.
    const isOfThisBody = stored.intake === arrival.intake
    const storedSha256 = isOfThisBody ? receivedSha256 : this.#intakes.digestOf(stored.intake)
    return { kind: 'conflict' as const, storedSha256, receivedSha256 }
  }

  #transaction<Result>(work: () => Result): Result {
    this.#begin.run()
    try {
      const result = work()
      this.#commit.run()
      this.#isUnavailable = false
      return result
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      this.#contacts.reset()
      this.#messages.reset()
      this.#events.reset()
      this.#counters.reset()
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
