// What is stored, in the words of the API.
import type { Contact } from '../model/contact.ts'
import type { Content } from '../model/content.ts'
import type { SequenceEntry, StoredEvent } from '../model/event.ts'
import type { Instant } from '../model/instant.ts'
import type { Message, MessageDetail } from '../model/message.ts'
import { mediaOfEdit } from '../receive/cloud-api/messages.ts'

/** What arrives later than this was repeated, or held up somewhere. */
const STALE_MS = 60 * 60 * 1000

/** A message in the words of the API. */
export function presentMessage(message: Message) {
  const { media = null, context = null, ...content } = contentNow(message)
  return {
    message_id: message.messageId,
    from: message.from,
    to: message.to,
    ts: message.ts,
    text: message.text,
    type: message.type,
    direction: message.direction,
    contact: presentContact(message.contact),
    status: message.status,
    media,
    context,
    content: Object.keys(content).length === 0 ? null : content,
    business_phone_number_id: message.phoneNumberId,
    provider: message.provider,
    namespace: message.namespace,
    edited: message.edited,
    revoked: message.revoked,
    received_at: isoOf(message.receivedAt),
    stale: isStale(message),
    seq: message.seq,
  }
}

/** A message with what happened to it. */
export function presentDetail(detail: MessageDetail) {
  const { message, originalText, events, reactions, shortened } = detail
  const of = (kind: StoredEvent['kind']) => events.filter((event) => event.kind === kind)
  const [revocation] = of('revoke')
  return {
    ...presentMessage(message),
    original_text: originalText,
    statuses: of('status').map(({ type, ts, participant, seq, data }) => ({
      status: type,
      ts,
      participant: participant ?? '',
      seq,
      data,
    })),
    edits: of('edit').map(({ key, ts, text, seq, data, receivedAt }) => ({
      ...{ message_id: key, ts, text },
      media: mediaOfEdit(data, receivedAt),
      seq,
    })),
    revocation:
      revocation === undefined
        ? null
        : { message_id: revocation.key, ts: revocation.ts, seq: revocation.seq },
    reactions: reactions.map((reaction) => ({
      message_id: reaction.messageId,
      from: reaction.from,
      emoji: contentNow(reaction).reaction?.emoji ?? null,
      ts: reaction.ts,
    })),
    shortened,
  }
}

/** A caption and an emoji are text, which a revoked message has none of. */
function contentNow({ content, revoked }: Message): Content {
  if (content === null || !revoked) return content ?? {}
  const { media, reaction, ...others } = content
  return {
    ...others,
    ...(media === undefined ? {} : { media: { ...media, caption: null } }),
    ...(reaction === undefined ? {} : { reaction: { ...reaction, emoji: null } }),
  }
}

/** One entry of the sequence. */
export function presentEntry(entry: SequenceEntry) {
  return entry.kind === 'message'
    ? presentMessageEntry(entry.message, entry.intake)
    : presentEvent(entry.event)
}

function presentMessageEntry(message: Message, intake: number) {
  const shown = presentMessage(message)
  return {
    seq: shown.seq,
    kind: 'message',
    type: shown.type,
    key: keyOfMessage(message),
    message_id: shown.message_id,
    ts: shown.ts,
    received_at: shown.received_at,
    stale: shown.stale,
    provider: shown.provider,
    intake_id: intake,
    business_phone_number_id: shown.business_phone_number_id,
    contact: shown.contact,
    participant: null,
    text: shown.text,
    message: shown,
    data: null,
  }
}

/**
 * A message's identity, as those of other kinds that have several parts. Where its id alone is its
 * key, none that looks like such a list may be.
 */
function keyOfMessage({ messageId, namespace }: Message): string {
  const isAlone = namespace === '' && !messageId.startsWith('["')
  return isAlone ? messageId : JSON.stringify([messageId, namespace])
}

function presentEvent(event: StoredEvent) {
  return {
    seq: event.seq,
    kind: event.kind,
    type: event.type,
    key: event.key,
    message_id: event.messageId,
    ts: event.ts,
    received_at: isoOf(event.receivedAt),
    stale: isStale(event),
    provider: event.provider,
    intake_id: event.intake,
    business_phone_number_id: event.phoneNumberId,
    contact: presentContact(event.contact),
    participant: event.participant === '' ? null : event.participant,
    text: event.text,
    data: event.data,
  }
}

/** A person in the words of the API. */
export function presentContact(contact: Contact | null) {
  if (contact === null) return null
  const { key, phone, userId, parentUserId, username, name } = contact
  return { key, phone, user_id: userId, parent_user_id: parentUserId, username, name }
}

/** Milliseconds since 1970 in ISO 8601. */
export function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

function isStale({ receivedAt, instant }: { receivedAt: number; instant: Instant }): boolean {
  return receivedAt - Date.parse(`${instant}Z`) > STALE_MS
}
