// Rows as values of the model.
import type { Contact } from '../../model/contact.ts'
import type { Content } from '../../model/content.ts'
import type {
  Direction,
  IntakeFacts,
  Namespace,
  ProviderName,
  StoredEvent,
} from '../../model/event.ts'
import type { Instant } from '../../model/instant.ts'
import type { ConversationPage, Message, MessagePage, Position } from '../../model/message.ts'
import { listedTexts } from './long-texts.ts'

type ContactColumns = {
  contact_key: string | null
  phone: string | null
  user_id: string | null
  parent_user_id: string | null
  username: string | null
  name: string | null
}

/** A message with its contact and current status. */
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
  content: string | null
  received_at: number
  status: string | null
}

/** A row of MESSAGE_SQL. */
export type WholeMessageRow = MessageRow & { original_text: string | null }

/** Another event with its contact: a row of LISTED_EVENTS_SQL with its texts. */
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

/** An intake without its body. */
export type IntakeRow = {
  id: number
  provider: ProviderName
  received_at: number
  sha256: Uint8Array
  bytes: number
  headers: string
}

const CONTACT_COLUMNS = `contacts.key as contact_key, contacts.phone, contacts.user_id,
  contacts.parent_user_id, contacts.username, contacts.name`

const MESSAGE_ROW_COLUMNS = `messages.seq, messages.message_id, namespace, provider, intake, type,
  direction, sender, recipient, contact, phone_number_id, ts, instant, edited, received_at,
  message_states.status, ${CONTACT_COLUMNS}`

const FROM_MESSAGES = `from messages
  left join message_states on message_states.message_id = messages.message_id
  left join contacts on contacts.id = messages.contact`

/** Single messages, whole; to be followed by a condition. */
export const MESSAGE_SQL = `
  select ${MESSAGE_ROW_COLUMNS}, text, original_text, content ${FROM_MESSAGES}`

/** Messages for a list, without their long texts; to be followed by a condition. */
export const LISTED_MESSAGES_SQL = `
  select ${MESSAGE_ROW_COLUMNS}, ${listedTexts('text', 'content')} ${FROM_MESSAGES}`

/** The texts of messages; to be followed by a condition on `seq`. */
export const MESSAGE_TEXTS_SQL = 'select seq, text, content from messages where seq'

const EVENT_ROW_COLUMNS = `seq, kind, type, events.key, provider, intake, message_id, participant,
  phone_number_id, ts, instant, received_at, ${CONTACT_COLUMNS}`

const FROM_EVENTS = 'from events left join contacts on contacts.id = events.contact'

/** Events for a list, without their long texts; to be followed by a condition. */
export const LISTED_EVENTS_SQL = `
  select ${EVENT_ROW_COLUMNS}, ${listedTexts('text', 'data')} ${FROM_EVENTS}`

/** The texts of events; to be followed by a condition on `seq`. */
export const EVENT_TEXTS_SQL = 'select seq, text, data from events where seq'

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

/** What is known of an intake, of its row. */
export function toIntakeFacts(row: IntakeRow): IntakeFacts {
  return {
    id: row.id,
    provider: row.provider,
    receivedAt: row.received_at,
    sha256: Buffer.from(row.sha256).toString('hex'),
    bytes: row.bytes,
    headers: JSON.parse(row.headers) as Record<string, string>,
  }
}

/** What a message said at first. */
export function originalTextOf({ edited, text, original_text }: WholeMessageRow): string | null {
  return edited === 0 ? text : original_text
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

/** A page of rows. Where there are more behind them, it tells the place of the last one. */
export function pageOf(
  rows: readonly MessageRow[],
  { more, total }: { readonly more: boolean; readonly total: number },
): MessagePage {
  const last = more ? rows.at(-1) : undefined
  return { messages: rows.map(toMessage), total, next: last ? toPosition(last) : null }
}

/** A person as a list of conversations finds them, to be shown with their newest message. */
export type PersonRow = { readonly id: number; readonly key: string; readonly messages: number }

/** A page of people with these newest messages, in the order of the people. */
export function conversationPageOf(
  people: readonly PersonRow[],
  newest: readonly MessageRow[],
  more: boolean,
): ConversationPage {
  const rows = new Map(newest.map((row) => [row.contact_key, row]))
  const conversations = people.flatMap(({ key, messages }) => {
    const row = rows.get(key)
    const contact = row === undefined ? null : toContact(row)
    if (row === undefined || contact === null) return []
    return [{ contact, messages, last: toMessage(row) }]
  })
  const last = more ? conversations.at(-1) : undefined
  const next = last === undefined ? null : { instant: last.last.instant, key: last.contact.key }
  return { conversations, next }
}
