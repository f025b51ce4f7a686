// Stores whatever is no message, and keeps the current status of each message that has any.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { StatusEvent } from '../../model/event.ts'
import { currentStatus, type StatusMark } from '../../model/status.ts'
import { identityOf, messageOf, type OtherThanMessage, typeOf } from '../sql/identity.ts'
import type { ContactBook } from './contact-book.ts'
import type { Counters } from './counters.ts'
import type { Arrival } from './message-writer.ts'

/** The tables of events and states, inside the writer's transaction. */
export class EventWriter {
  readonly #contacts: ContactBook
  readonly #counters: Counters
  readonly #insert: StatementSync
  readonly #makeEarlier: StatementSync
  readonly #history: StatementSync
  readonly #readState: StatementSync
  readonly #writeState: StatementSync
  /** Messages with a new status since the last flush. */
  readonly #changed = new Set<string>()

  constructor(database: DatabaseSync, contacts: ContactBook, counters: Counters) {
    this.#contacts = contacts
    this.#counters = counters
    this.#insert = database.prepare(`
      insert into events
        (seq, kind, type, key, provider, intake, message_id, participant, contact, phone_number_id,
         ts, instant, text, data, received_at)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict (kind, key) where key is not null do nothing`)
    this.#makeEarlier = database.prepare(
      `update events set ts = ?, instant = ?, contact = ?, phone_number_id = ?, data = ?
       where kind = 'status' and key = ? and instant > ?`,
    )
    this.#history = database.prepare(
      "select type as status, instant from events where message_id = ? and kind = 'status'",
    )
    this.#readState = database.prepare('select status from message_states where message_id = ?')
    this.#writeState = database.prepare(`
      insert into message_states (message_id, status) values (?, ?)
      on conflict (message_id) do update set status = excluded.status`)
  }

  /** Stores an event under `seq`; false where its identity is stored already. */
  insert(seq: number, event: OtherThanMessage, arrival: Arrival): boolean {
    const { kind, instant } = event
    const contact = this.#contacts.contactOf(event)
    const { changes } = this.#insert.run(
      seq,
      kind,
      typeOf(event),
      identityOf(event),
      arrival.provider,
      arrival.intake,
      messageOf(event),
      kind === 'status' ? event.participant : null,
      contact,
      event.phoneNumberId,
      event.ts,
      instant,
      kind === 'edit' ? event.text : null,
      JSON.stringify(event.data ?? null),
      arrival.receivedAt,
    )
    const created = changes === 1
    if (created) this.#counters.add('kind', kind)
    if (kind === 'status' && (created || this.#makeItEarlier(event, contact))) {
      this.#changed.add(event.messageId)
    }
    return created
  }

  /**
   * Writes which status counts now, of each message that got any since the last time: once, since
   * all statuses of a message are read for that. To be called before the counters are written.
   */
  flush(): void {
    for (const messageId of this.#changed) this.#updateState(messageId)
    this.#changed.clear()
  }

  /** Forgets the messages of a transaction that was rolled back. */
  reset(): void {
    this.#changed.clear()
  }

  /** Of a status that is repeated with another time, the earliest one counts, and all it says. */
  #makeItEarlier(event: StatusEvent, contact: number | null): boolean {
    const { ts, instant, phoneNumberId, data } = event
    const said = [ts, instant, contact, phoneNumberId, JSON.stringify(data ?? null)] as const
    return this.#makeEarlier.run(...said, identityOf(event), instant).changes === 1
  }

  #updateState(messageId: string): void {
    const status = currentStatus(this.#history.all(messageId) as StatusMark[])
    const before = (this.#readState.get(messageId) as { status: string } | undefined)?.status
    if (status === null || status === before) return
    this.#writeState.run(messageId, status)
    this.#counters.add('status', status)
    if (before !== undefined) this.#counters.add('status', before, -1)
  }
}
