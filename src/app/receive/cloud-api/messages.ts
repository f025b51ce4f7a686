// Messages, echoes and standby copies: one item, one event.
import { addressOf, type Identity } from '../../model/contact.ts'
import type { Media } from '../../model/content.ts'
import type { Direction, IncomingEvent, Namespace } from '../../model/event.ts'
import { contentOf, mediaIn } from './content.ts'
import type { Change } from './envelope.ts'
import { nullIfNobody, phoneFrom, recipientOf, senderOf, subjectOf } from './identity.ts'
import { oddItem } from './odd.ts'
import { type Fields, fieldsOf, firstId, firstText, idOf, isFields, own } from './shape.ts'
import { textOfMessage } from './text.ts'
import { momentOf } from './time.ts'

/** Where an item stands: what is known of its message and it does not say itself. */
export type MessagePlace = {
  readonly change: Change
  readonly namespace: Namespace
  readonly direction: Direction
  /** Whether all items of the list are of one person. */
  readonly isOnlyPerson: boolean
  /** The other person, where the list names them and not the item. */
  readonly thread?: Identity
}

/** The event of one item of a list of messages. */
export function messageFrom(given: unknown, place: MessagePlace): IncomingEvent {
  const { change, namespace, direction, isOnlyPerson } = place
  const item = unwrapped(given)
  const messageId = idOf(own(item, 'id'))
  if (messageId === null || !isFields(given)) return oddItem(change, given)
  const type = firstId(item, 'type') ?? 'unknown'
  const people = peopleIn(item, place)
  const moment = momentOf(change.receivedAt, own(item, 'timestamp'), change.entryTime)
  const contact = nullIfNobody(people.now)
  const shared = { ...moment, contact, phoneNumberId: change.phoneNumberId }
  if (type === 'edit' || type === 'revoke') {
    const event = changeOfMessage(type, messageId, item, change)
    if (event !== null) return { ...shared, ...event }
  }
  const text = textOfMessage(type, item, change.rules)
  const { business } = change
  const person = addressAmong(people, change)
  return {
    ...shared,
    ...formerlyIn(type, item),
    kind: 'message',
    messageId,
    namespace,
    type,
    direction,
    from: direction === 'inbound' ? person : outboundFrom(item, business),
    to: direction === 'inbound' ? business : person,
    text,
    content: contentOf(type, item, change.profiles.contactOf(people.named, isOnlyPerson), change),
  }
}

/** In standby a message is one level deeper. */
function unwrapped(given: unknown): Fields {
  const item = fieldsOf(given)
  const inner = own(item, 'message')
  const isWrapped = own(item, 'type') === undefined && isFields(inner)
  return isWrapped ? { ...inner, ...item } : item
}

/** The other person: as the item names them, else the thread; as the contacts do; as they are now. */
type People = { readonly named: Identity; readonly known: Identity; readonly now: Identity }

function peopleIn(item: Fields, { change, direction, isOnlyPerson, thread }: MessagePlace): People {
  const inItem = direction === 'inbound' ? senderOf(item) : recipientOf(item)
  const named = thread !== undefined && addressOf(inItem) === null ? thread : inItem
  const known = change.profiles.with(named, isOnlyPerson)
  return { named, known, now: withNewAddress(item, known) }
}

/** Of a system message about a changed number or id, the person is who they are now. */
function withNewAddress(item: Fields, person: Identity): Identity {
  const system = fieldsOf(own(item, 'system'))
  const now = subjectOf(system)
  if (own(system, 'type') === 'user_changed_number' && now.phone !== null) {
    return { ...person, phone: now.phone, userId: now.userId ?? person.userId }
  }
  if (own(system, 'type') === 'user_changed_user_id' && now.userId !== null) {
    return { ...person, userId: now.userId, parentUserId: now.parentUserId ?? person.parentUserId }
  }
  return person
}

/** Who that was before, where the payload says it. */
function formerlyIn(type: string, item: Fields): { formerly?: Identity } {
  if (type !== 'system') return {}
  const before = senderOf(item)
  const now = withNewAddress(item, before)
  const isChanged = now.phone !== before.phone || now.userId !== before.userId
  return isChanged && addressOf(before) !== null ? { formerly: before } : {}
}

/** As the payload says it: a phone number, else the BSUID. */
function addressAmong({ named, known, now }: People, { rules }: Change): string {
  return addressOf(named) ?? addressOf(known) ?? (rules < 3 ? null : addressOf(now)) ?? ''
}

function outboundFrom(item: Fields, business: string): string {
  return phoneFrom(own(item, 'from')) ?? (business || (firstId(item, 'from') ?? ''))
}

function changeOfMessage(kind: 'edit' | 'revoke', key: string, item: Fields, { rules }: Change) {
  const messageId = idOf(own(fieldsOf(own(item, kind)), 'original_message_id'))
  if (messageId === null) return null
  if (kind === 'revoke') return { kind, messageId, key, data: item }
  const { type, message } = editedTo(item)
  return { kind, messageId, key, text: textOfMessage(type, message, rules), data: item }
}

/** The file of an edit with these data, which arrived at `receivedAt` (ms since 1970); null without one. */
export function mediaOfEdit(data: unknown, receivedAt: number): Media | null {
  const { type, message } = editedTo(fieldsOf(data))
  return mediaIn(type, message, receivedAt)
}

/** The message as an edit has it. */
function editedTo(item: Fields) {
  const message = fieldsOf(own(fieldsOf(own(item, 'edit')), 'message'))
  return { type: firstText(message, 'type') ?? '', message }
}
