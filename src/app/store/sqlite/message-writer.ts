// Stores messages, and keeps what they say in step with their edits, whichever comes first.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { PLACEHOLDER, PLACEHOLDER_FILLED } from '../../model/content.ts'
import type { IncomingEvent, MessageEvent } from '../../model/event.ts'
import type { Instant } from '../../model/instant.ts'
import { EDITED, LATEST_EDIT } from '../sql/edits.ts'
import type { ContactBook } from './contact-book.ts'
import type { Counters } from './counters.ts'

/** What all events of one request share in the store. */
export type Arrival = {
  readonly intake: number
  readonly provider: string
  readonly receivedAt: number
}

export type StoredMessage = {
  seq: number
  type: string
  sender: string
  recipient: string
  ts: string
  instant: Instant
  text: string | null
  intake: number
  contact: number | null
  content: string | null
}

type Edit = { kind: keyof typeof EDITED; text: string | null }

/** The table of messages, inside the writer's transaction. */
export class MessageWriter {
  readonly #contacts: ContactBook
  readonly #counters: Counters
  readonly #insert: StatementSync
  readonly #find: StatementSync
  readonly #edits: StatementSync
  readonly #setText: StatementSync
  readonly #fill: StatementSync
  readonly #giveTo: StatementSync
  /** Messages that may have been edited since the last flush. */
  readonly #changed = new Set<string>()

  constructor(database: DatabaseSync, contacts: ContactBook, counters: Counters) {
    this.#contacts = contacts
    this.#counters = counters
    this.#insert = database.prepare(`
      insert into messages
        (seq, message_id, namespace, provider, intake, type, direction, sender, recipient, contact,
         phone_number_id, ts, instant, text, edited, original_text, content, received_at)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, null, ?, ?)
      on conflict (message_id, namespace) do nothing`)
    this.#find = database.prepare(`
      select seq, type, sender, recipient, ts, instant, intake, contact, content,
        case edited when 0 then text else original_text end as text
      from messages where message_id = ? and namespace = ?`)
    this.#edits = database.prepare(`
      select kind, text from events where message_id = ? and ${LATEST_EDIT}`)
    this.#setText = database.prepare(`
      update messages set edited = ?, text = ?,
        original_text = case edited when 0 then text else original_text end
      where message_id = ?`)
    this.#fill = database.prepare(`
      update messages set type = ?, text = ?, content = ?, edited = 0, original_text = null
      where seq = ?`)
    this.#giveTo = database.prepare(
      `update messages set contact = ?, recipient = case recipient when '' then ? else recipient end
       where seq = ?`,
    )
  }

  /** Stores a message under `seq`; false where its identity is stored already. */
  insert(seq: number, message: MessageEvent, arrival: Arrival): boolean {
    const { messageId, type, instant } = message
    const contact = this.#contacts.contactOf(message)
    const { changes } = this.#insert.run(
      seq,
      messageId,
      message.namespace,
      arrival.provider,
      arrival.intake,
      type,
      message.direction,
      message.from,
      message.to,
      contact,
      message.phoneNumberId,
      message.ts,
      instant,
      message.text,
      message.content === null ? null : JSON.stringify(message.content),
      arrival.receivedAt,
    )
    if (changes === 0) return false
    this.#count(message, contact)
    this.#changed.add(messageId)
    return true
  }

  find({ messageId, namespace }: MessageEvent): StoredMessage {
    return this.#find.get(messageId, namespace) as StoredMessage
  }

  /** Notes an event that may give a message another text. */
  takeEdit(event: IncomingEvent): void {
    if (event.kind === 'edit' || event.kind === 'revoke') this.#changed.add(event.messageId)
  }

  /**
   * Gives each message that got any since the last time the text of its latest edit: once, since all
   * edits of a message are looked at for that.
   */
  flush(): void {
    for (const messageId of this.#changed) this.#applyEdits(messageId)
    this.#changed.clear()
  }

  /** Forgets the messages of a transaction that was rolled back. */
  reset(): void {
    this.#changed.clear()
  }

  /** A revoked message has no text. */
  #applyEdits(messageId: string): void {
    const edit = this.#edits.get(messageId) as Edit | undefined
    if (edit === undefined) return
    this.#setText.run(EDITED[edit.kind], edit.text, messageId)
  }

  /**
   * Brings the content of a message and the placeholder for it together, whichever of the two is
   * stored: the placeholder may be the only one that says whose it is. Returns the message as it is now;
   * null where nothing of it is new.
   */
  complete(message: MessageEvent, stored: StoredMessage): MessageEvent | null {
    if ((stored.type === PLACEHOLDER) === (message.type === PLACEHOLDER)) return null
    const isOfSomebody = this.#setPerson(message, stored)
    if (stored.type === PLACEHOLDER) {
      this.#setContent(message, stored)
      return message
    }
    const { type, text, content } = stored
    if (!isOfSomebody) return null
    return { ...message, type, text, content: content === null ? null : JSON.parse(content) }
  }

  /** Gives a message of nobody to the person of another one that it is the same as. */
  #setPerson(message: MessageEvent, stored: StoredMessage): boolean {
    const contact = stored.contact === null ? this.#contacts.contactOf(message) : null
    if (contact === null) return false
    this.#giveTo.run(contact, message.to, stored.seq)
    this.#contacts.count(contact, stored.instant)
    return true
  }

  /** Gives a placeholder its content, as if nobody had edited it, and then its edits. */
  #setContent({ type, text, content, messageId }: MessageEvent, stored: StoredMessage): void {
    this.#fill.run(type, text, content === null ? null : JSON.stringify(content), stored.seq)
    this.#counters.add('type', stored.type, -1)
    this.#counters.add('type', type)
    this.#changed.add(messageId)
  }

  #count(message: MessageEvent, contact: number | null): void {
    this.#counters.add('kind', 'message')
    this.#counters.add('type', message.type)
    this.#counters.add('day', message.instant.slice(0, 10))
    this.#counters.addSender(message.from)
    if (contact !== null) this.#contacts.count(contact, message.instant)
  }
}

/** Whether a message is a copy of a stored one. A placeholder says nothing of the text. */
export function isSame({ from, to, ts, type, text }: MessageEvent, stored: StoredMessage): boolean {
  if (stored.sender !== from || stored.recipient !== to || stored.ts !== ts) return false
  return type === PLACEHOLDER || stored.text === text
}

/** That a placeholder got its content is an event too: whoever follows the sequence learns of it. */
export function fillingEvent(message: MessageEvent): IncomingEvent {
  const { type, text, content, messageId, ...others } = message
  return {
    ...others,
    kind: 'history',
    messageId,
    type: PLACEHOLDER_FILLED,
    key: JSON.stringify([messageId, message.namespace]),
    data: { message_id: messageId, type, text, content },
  }
}
