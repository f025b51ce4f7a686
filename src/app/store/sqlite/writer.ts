// The one write connection: stores batches, keeps the counters, checkpoints its log.
import { hash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StoreFailedError } from '../../errors.ts'
import type { InsertOutcome } from '../../model/message.ts'
import type { InsertedBatch } from '../store.ts'
import { type PackedBatch, type PackedMessage, unpackBatch } from './batch.ts'
import { checkpoint, openWriter, requireDurability } from './connection.ts'
import { storeError } from './faults.ts'
import { migrate, SCHEMA_VERSION, schemaVersion } from './schema.ts'

/** What the thread answers for a batch: the outcomes, and how long the log has become. */
export type CommittedBatch = InsertedBatch & {
  /** Pages in the write-ahead log. */
  readonly logFrames: number
}

type StoredMessage = {
  sender: string
  recipient: string
  ts: string
  text: string | null
  body_sha256: Uint8Array
}

/** Owns the write connection of a database file. Every method is synchronous and blocks. */
export class Writer {
  readonly #database: DatabaseSync
  readonly #insertMessage: StatementSync
  readonly #findMessage: StatementSync
  readonly #countSender: StatementSync
  readonly #readTotals: StatementSync
  readonly #writeTotals: StatementSync
  readonly #logFrames: StatementSync
  #failure: StoreFailedError | null = null

  /** Opens the file, brings its schema up to date and proves that commits are durable. */
  constructor(file: string) {
    this.#database = openWriter(file)
    migrate(this.#database)
    this.#database.prepare('update store set opened_at = ? where id = 1').run(Date.now())
    requireDurability(this.#database)
    this.#insertMessage = this.#database.prepare(`
      insert into messages
        (seq, message_id, sender, recipient, ts, instant, text, received_at, body_sha256, body)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict (message_id) do nothing`)
    this.#findMessage = this.#database.prepare(
      'select sender, recipient, ts, text, body_sha256 from messages where message_id = ?',
    )
    this.#countSender = this.#database.prepare(`
      insert into senders (sender, messages) values (?, ?)
      on conflict (sender) do update set messages = messages + excluded.messages
      returning messages`)
    this.#readTotals = this.#database.prepare('select last_seq, messages, senders from totals')
    this.#writeTotals = this.#database.prepare(
      'update totals set last_seq = ?, messages = ?, senders = ?',
    )
    this.#logFrames = this.#database.prepare('pragma wal_checkpoint(noop)')
  }

  /** Stores a batch in one transaction. Throws StoreUnavailableError or StoreFailedError. */
  insert(batch: PackedBatch): CommittedBatch {
    const start = performance.now()
    const outcomes = this.#guard(() => this.#transaction(() => this.#insertAll(batch)))
    const seconds = (performance.now() - start) / 1000
    const { log } = this.#guard(() => this.#logFrames.get()) as { log: number }
    return { outcomes, seconds, logFrames: log }
  }

  /** Throws unless the schema is current and no commit has failed. */
  probe(): void {
    const version = this.#guard(() => schemaVersion(this.#database))
    if (version !== SCHEMA_VERSION) {
      throw new Error(`The schema is at version ${version} and not ${SCHEMA_VERSION}.`)
    }
  }

  /** Copies what is left of the log into the database file, after which it begins anew. */
  checkpoint(): void {
    this.#guard(() => checkpoint(this.#database))
  }

  close(): void {
    this.#database.close()
  }

  #insertAll(batch: PackedBatch): InsertOutcome[] {
    const totals = this.#readTotals.get() as { last_seq: number; messages: number; senders: number }
    const bySender = new Map<string, number>()
    const receivedAt = Date.now()
    let seq = totals.last_seq
    const outcomes = unpackBatch(batch).map((message): InsertOutcome => {
      const digest = hash('sha256', message.body, 'buffer')
      if (!this.#insertOne(seq + 1, message, receivedAt, digest)) {
        return this.#compare(message, digest)
      }
      seq++
      bySender.set(message.from, (bySender.get(message.from) ?? 0) + 1)
      return { kind: 'created' }
    })
    const created = seq - totals.last_seq
    if (created > 0) {
      const newSenders = this.#countSenders(bySender)
      this.#writeTotals.run(seq, totals.messages + created, totals.senders + newSenders)
    }
    return outcomes
  }

  #insertOne(seq: number, message: PackedMessage, receivedAt: number, digest: Buffer): boolean {
    const { messageId, from, to, ts, instant, text, body } = message
    const { changes } = this.#insertMessage.run(
      seq,
      messageId,
      from,
      to,
      ts,
      instant,
      text,
      receivedAt,
      digest,
      body,
    )
    return changes === 1
  }

  #compare(message: PackedMessage, digest: Buffer): InsertOutcome {
    const stored = this.#findMessage.get(message.messageId) as StoredMessage
    const same =
      stored.sender === message.from &&
      stored.recipient === message.to &&
      stored.ts === message.ts &&
      stored.text === message.text
    if (same) return { kind: 'duplicate' }
    return {
      kind: 'conflict',
      storedSha256: Buffer.from(stored.body_sha256).toString('hex'),
      receivedSha256: digest.toString('hex'),
    }
  }

  /** Returns how many of the senders were not there before. */
  #countSenders(bySender: ReadonlyMap<string, number>): number {
    let created = 0
    for (const [sender, count] of bySender) {
      const row = this.#countSender.get(sender, count) as { messages: number }
      if (row.messages === count) created++
    }
    return created
  }

  #transaction<Result>(work: () => Result): Result {
    this.#database.exec('begin immediate')
    try {
      const result = work()
      this.#database.exec('commit')
      return result
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
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
      throw known
    }
  }
}
