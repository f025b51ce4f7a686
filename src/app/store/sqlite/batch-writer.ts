// What becomes of the events of a batch: each is a row of its own, a repetition or a conflict, and gets
// the next number of the sequence where it is new. All inside the writer's transaction.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { IncomingEvent, Intake, MessageEvent } from '../../model/event.ts'
import type { InsertOutcome } from '../../model/message.ts'
import { digestOf } from '../body.ts'
import { type PackedBatch, unpackBatch } from './batch.ts'
import { ContactBook } from './contact-book.ts'
import { Counters } from './counters.ts'
import { EventWriter } from './event-writer.ts'
import { IntakeWriter } from './intakes.ts'
import { type Arrival, fillingEvent, isSame, MessageWriter } from './message-writer.ts'

type Totals = { last_seq: number; last_intake: number; messages: number; senders: number }

const CREATED: InsertOutcome = { kind: 'created' }
const DUPLICATE: InsertOutcome = { kind: 'duplicate' }

/** Writes batches to every table that they touch. */
export class BatchWriter {
  readonly #contacts: ContactBook
  readonly #counters: Counters
  readonly #messages: MessageWriter
  readonly #events: EventWriter
  readonly #intakes: IntakeWriter
  readonly #readTotals: StatementSync
  readonly #writeTotals: StatementSync
  #totals: Totals = { last_seq: 0, last_intake: 0, messages: 0, senders: 0 }

  constructor(database: DatabaseSync) {
    this.#contacts = new ContactBook(database)
    this.#counters = new Counters(database)
    this.#messages = new MessageWriter(database, this.#contacts, this.#counters)
    this.#events = new EventWriter(database, this.#contacts, this.#counters)
    this.#intakes = new IntakeWriter(database)
    this.#readTotals = database.prepare(
      'select last_seq, last_intake, messages, senders from totals',
    )
    this.#writeTotals = database.prepare(
      'update totals set last_seq = ?, last_intake = ?, messages = ?, senders = ?',
    )
  }

  /** Stores all events of a batch; returns what became of each, by intake. */
  insert(batch: PackedBatch): InsertOutcome[][] {
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

  /** Forgets what was kept of a batch whose transaction was rolled back. */
  reset(): void {
    this.#contacts.reset()
    this.#messages.reset()
    this.#events.reset()
    this.#counters.reset()
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
}
