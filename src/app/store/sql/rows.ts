// Rows as values of the model.
import type { Contact } from '../../model/contact.ts'
import type { Content } from '../../model/content.ts'
import type {
  Direction,
  Namespace,
  ProviderName,
  SequencePage,
  StoredEvent,
} from '../../model/event.ts'
import type { Instant } from '../../model/instant.ts'
import type { ConversationPage, Message, MessagePage, Position } from '../../model/message.ts'

type ContactColumns = {
  contact_key: string | null
  phone: string | null
  user_id: string | null
  parent_user_id: string | null
  username: string | null
  name: string | null
}

/** A row of MESSAGE_SQL. */
export type MessageRow = ContactColumns & {
  seq: number
  message_id: string
  namespace: Namespace
  provider: ProviderName
  intake: number
  type: string
  direction: Direction
  sender: string
  recipient: string
  contact: number | null
  phone_number_id: string | null
  ts: string
  instant: Instant
  text: string | null
  /** 0: `text` is as it came; 1: of an edit; 2: null, since it was revoked. */
  edited: 0 | 1 | 2
  original_text: string | null
  content: string | null
  received_at: number
  status: string | null
}

/** A row of EVENT_SQL. */
export type EventRow = ContactColumns & {
  seq: number
  kind: StoredEvent['kind']
  type: string
  key: string | null
  provider: ProviderName
  intake: number
  message_id: string | null
  participant: string | null
  phone_number_id: string | null
  ts: string
  instant: Instant
  text: string | null
  data: string
  received_at: number
}

const CONTACT_COLUMNS = `contacts.key as contact_key, contacts.phone, contacts.user_id,
  contacts.parent_user_id, contacts.username, contacts.name`

/** Messages with their contact and current status; to be followed by a condition. */
export const MESSAGE_SQL = `
  select messages.seq, messages.message_id, namespace, provider, intake, type, direction, sender,
    recipient, contact, phone_number_id, ts, instant, text, edited, original_text, content,
    received_at,
    message_states.status, ${CONTACT_COLUMNS}
  from messages
  left join message_states on message_states.message_id = messages.message_id
  left join contacts on contacts.id = messages.contact`

/** Other events with their contact; to be followed by a condition. */
export const EVENT_SQL = `
  select seq, kind, type, events.key, provider, intake, message_id, participant, phone_number_id,
    ts, instant, text, data, received_at, ${CONTACT_COLUMNS}
  from events left join contacts on contacts.id = events.contact`

/** The message of a row. */
export function toMessage(row: MessageRow): Message {
  return {
    seq: row.seq,
    messageId: row.message_id,
    namespace: row.namespace,
    provider: row.provider,
    type: row.type,
    direction: row.direction,
    from: row.sender,
    to: row.recipient,
    contact: toContact(row),
    phoneNumberId: row.phone_number_id,
    ts: row.ts,
    instant: row.instant,
    text: row.text,
    edited: row.edited === 1,
    revoked: row.edited === 2,
    content: row.content === null ? null : (JSON.parse(row.content) as Content),
    status: row.status,
    receivedAt: row.received_at,
  }
}

/** The event of a row. */
export function toEvent(row: EventRow): StoredEvent {
  return {
    seq: row.seq,
    kind: row.kind,
    type: row.type,
    key: row.key,
    provider: row.provider,
    intake: row.intake,
    messageId: row.message_id,
    participant: row.participant,
    contact: toContact(row),
    phoneNumberId: row.phone_number_id,
    ts: row.ts,
    instant: row.instant,
    text: row.text,
    data: JSON.parse(row.data),
    receivedAt: row.received_at,
  }
}

/** The place of a row in the order of the list. */
export function toPosition({ instant, message_id, seq }: MessageRow): Position {
  return { instant, messageId: message_id, seq }
}

/** The contact a row was joined with; null where it has none. */
function toContact(row: ContactColumns): Contact | null {
  if (row.contact_key === null) return null
  return {
    key: row.contact_key,
    phone: row.phone,
    userId: row.user_id,
    parentUserId: row.parent_user_id,
    username: row.username,
    name: row.name,
  }
}

/** A page of rows, of which one more than `limit` was read to know whether there is another. */
export function pageOf(rows: readonly MessageRow[], limit: number, total: number): MessagePage {
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return { messages: shown.map(toMessage), total, next: last ? toPosition(last) : null }
}

/** A person as a list of conversations finds them, to be shown with their newest message. */
export type PersonRow = { readonly id: number; readonly key: string; readonly messages: number }

/** A page of people, of which one more than `limit` was read. Who has no message is left out. */
export function conversationPageOf(
  people: readonly PersonRow[],
  limit: number,
  newestOf: (person: PersonRow) => MessageRow | undefined,
): ConversationPage {
  const conversations = people.slice(0, limit).flatMap((person) => {
    const row = newestOf(person)
    const contact = row === undefined ? null : toContact(row)
    if (row === undefined || contact === null) return []
    return [{ contact, messages: person.messages, last: toMessage(row) }]
  })
  const last = people.length > limit ? conversations.at(-1) : undefined
  const next = last === undefined ? null : { instant: last.last.instant, key: last.contact.key }
  return { conversations, next }
}

type SequencePart = {
  /** Up to `limit` of each, in the order of their numbers. */
  readonly messages: readonly MessageRow[]
  readonly others: readonly EventRow[]
  readonly after: number
  readonly limit: number
  /** Up to here the sequence is complete, and was looked at. */
  readonly lastSeq: number
  /** The last number that was given. */
  readonly last: number
}

/** A part of the sequence: messages and other events, merged by their numbers. */
export function sequencePageOf({
  messages,
  others,
  after,
  limit,
  lastSeq,
  last,
}: SequencePart): SequencePage {
  const entries = [
    ...messages.map((row) => ({
      seq: row.seq,
      entry: { kind: 'message' as const, intake: row.intake, message: toMessage(row) },
    })),
    ...others.map((row) => ({
      seq: row.seq,
      entry: { kind: 'event' as const, event: toEvent(row) },
    })),
  ].sort((a, b) => a.seq - b.seq)
  const shown = entries.slice(0, limit)
  const end = shown.length === limit ? shown.at(-1) : undefined
  return {
    entries: shown.map(({ entry }) => entry),
    next: end?.seq ?? Math.max(after, lastSeq),
    last,
  }
}
