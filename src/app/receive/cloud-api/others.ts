// Everything that is no message and no status: calls, groups, preferences, accounts…
import type { Identity } from '../../model/contact.ts'
import type { OtherEvent, OtherKind, Rules } from '../../model/event.ts'
import type { Change } from './envelope.ts'
import { nullIfNobody, phoneFrom, recipientOf, senderOf, subjectOf } from './identity.ts'
import {
  digestOf,
  type Fields,
  fieldsOf,
  firstId,
  firstText,
  keyOf,
  own,
  short,
  textOf,
} from './shape.ts'
import { momentOf } from './time.ts'

/** Which kind a field is of; null for a field that nobody told us of. */
export function kindOfField(field: string): OtherKind | null {
  const [, kind] = KINDS.find(([pattern]) => pattern.test(field)) ?? []
  return kind ?? null
}

const KINDS: readonly (readonly [RegExp, OtherKind])[] = [
  [/^calls$/, 'call'],
  [/^group_/, 'group'],
  [/^user_preferences$/, 'preference'],
  [/^user_id_update$/, 'identity'],
  [/^smb_app_state_sync$/, 'address_book'],
  [/^history$/, 'history'],
  [/^automatic_events$/, 'conversion'],
  [/^(message_)?template_/, 'template'],
  [/^flows$/, 'flow'],
  [/^(messaging_handovers|standby)$/, 'handover'],
  [/^(account|business|phone_number|payment)_/, 'account'],
  [/^(security|partner_solutions)$/, 'account'],
]

type Described = {
  readonly type: string | null
  /** What identifies it, where it has anything that does. */
  readonly key: readonly string[] | null
  readonly contact?: Identity
  readonly formerly?: Identity
}

/** How items of a field say what they are; of all others the whole is what identifies them. */
const DESCRIPTIONS: Readonly<Record<string, (item: Fields, rules: Rules) => Described>> = {
  calls: describeCall,
  user_preferences: describePreference,
  user_id_update: describeNewId,
  smb_app_state_sync: describeAddress,
  automatic_events: (item) => ({
    type: firstText(item, 'event_name'),
    key: keyUnless(firstText(item, 'id'), firstText(item, 'event_name')),
  }),
  group_lifecycle_update: describeGroup,
  group_participants_update: describeParticipants,
  group_participant_update: describeParticipants,
  group_settings_update: describeGroup,
  group_status_update: describeGroup,
}

/** The event of one item of a field. */
export function otherFrom(given: unknown, kind: OtherKind, change: Change): OtherEvent {
  const { field, entryId, entryTime, phoneNumberId, receivedAt, rules } = change
  const item = fieldsOf(given)
  const describe = Object.hasOwn(DESCRIPTIONS, field) ? DESCRIPTIONS[field] : undefined
  const described = describe?.(item, rules) ?? { type: innerType(item), key: null }
  const { type, key, contact, formerly } = described
  const metadata = fieldsOf(own(item, 'metadata'))
  return {
    kind,
    type: typeOf(field, type),
    key: key === null ? digestOf(field, entryId, entryTime ?? null, given) : keyOf(field, ...key),
    data: given,
    contact: contact === undefined ? null : nullIfNobody(change.profiles.with(contact, false)),
    ...(formerly === undefined ? {} : { formerly }),
    phoneNumberId,
    ...momentOf(receivedAt, own(item, 'timestamp'), own(metadata, 'timestamp'), entryTime),
  }
}

/** A field, and the provider's word for what is in it, where there is one. */
function typeOf(field: string, word: string | null): string {
  return word === null ? field : short(`${field}:${word}`)
}

/** A fault that Meta tells of. Two that look the same are two: they name nothing that is the same. */
export function errorFrom(given: unknown, change: Change): OtherEvent {
  const code = textOf(own(fieldsOf(given), 'code'))
  return {
    kind: 'error',
    type: typeOf(change.field, code),
    key: null,
    data: given,
    contact: null,
    phoneNumberId: change.phoneNumberId,
    ...momentOf(change.receivedAt, change.entryTime),
  }
}

/** A click on a link in a marketing message: it names no person and no message. */
export function clickFrom(given: unknown, change: Change): OtherEvent {
  const item = fieldsOf(given)
  const clicks = [
    own(item, 'marketing_messages_link_click_data'),
    own(item, 'marketing_messages_link_click'),
    given,
  ]
  const id = clicks.map((click) => firstText(fieldsOf(click), 'click_id')).find(Boolean) ?? null
  const { field, entryId, entryTime, phoneNumberId, receivedAt } = change
  return {
    kind: 'click',
    type: typeOf(field, firstText(item, 'action_type', 'type') ?? 'user_action'),
    key: id === null ? digestOf(field, entryId, entryTime ?? null, given) : keyOf('click', id),
    data: given,
    contact: null,
    phoneNumberId,
    ...momentOf(receivedAt, own(item, 'timestamp'), entryTime),
  }
}

/** One part of a history: how far it has come, or that it is not shared. */
export function historyChunk(item: Fields, change: Change): OtherEvent {
  const metadata = fieldsOf(own(item, 'metadata'))
  const [phase, order] = ['phase', 'chunk_order'].map((name) => textOf(own(metadata, name)))
  const isNumbered = typeof phase === 'string' && typeof order === 'string'
  const event = otherFrom(withoutItems(item, change.rules), 'history', change)
  const key = isNumbered
    ? keyOf('chunk', change.entryId, change.phoneNumberId, phase, order)
    : event.key
  return { ...event, type: isNumbered ? 'history:chunk' : 'history', key }
}

/** Its items are events of their own. What stands in the place of a list of them is none of those. */
function withoutItems(item: Fields, rules: Rules): Fields {
  const hasItems = (value: unknown) => rules < 3 || typeof value === 'object' || value === ''
  return Object.fromEntries(
    Object.entries(item).filter(
      ([name, value]) => !(['threads', 'messages'].includes(name) && hasItems(value)),
    ),
  )
}

function describeCall(item: Fields): Described {
  const what = firstText(item, 'event', 'status')
  const id = firstText(item, 'id')
  const isOurs = own(item, 'direction') === 'BUSINESS_INITIATED'
  const named = isOurs ? recipientOf(item) : senderOf(item)
  const recipient = phoneFrom(own(item, 'recipient_id'))
  const contact =
    named.phone === null && recipient !== null ? { ...named, phone: recipient } : named
  return { type: what, key: keyUnless(id, what), contact }
}

/** Who stops and resumes in one second has done both. By earlier rules only the first one counted. */
function describePreference(item: Fields, rules: Rules): Described {
  const { userId, phone } = subjectOf(item)
  const value = firstText(item, 'value')
  const parts = [userId ?? phone, firstText(item, 'category'), firstText(item, 'timestamp')]
  return {
    type: value,
    key: keyUnless(...parts, ...(rules < 3 ? [] : [value])),
    contact: subjectOf(item),
  }
}

function describeNewId(item: Fields): Described {
  const [now, before] = ['current', 'previous'].map((name) => ({
    ...subjectOf({}),
    userId: firstId(fieldsOf(own(item, 'user_id')), name),
    parentUserId: firstId(fieldsOf(own(item, 'parent_user_id')), name),
  }))
  const phone = subjectOf(item).phone
  const contact = { ...subjectOf(item), ...now, phone }
  return {
    type: null,
    key: keyUnless(contact.userId, textOf(own(item, 'timestamp'))),
    contact,
    ...(before?.userId ? { formerly: before } : {}),
  }
}

function describeAddress(item: Fields): Described {
  const contact = fieldsOf(own(item, 'contact'))
  const metadata = fieldsOf(own(item, 'metadata'))
  const person = { ...subjectOf(contact), name: firstText(contact, 'full_name', 'first_name') }
  const action = firstText(item, 'action')
  const key = keyUnless(person.phone ?? person.userId, action, textOf(own(metadata, 'timestamp')))
  return { type: action, key, contact: person }
}

function describeGroup(item: Fields): Described {
  return describeById(item, firstText(item, 'request_id', 'group_id'))
}

/** Several may join in one second: the group does not identify them, as by earlier rules it did. */
function describeParticipants(item: Fields, rules: Rules): Described {
  const id = firstText(item, 'request_id', rules < 3 ? 'group_id' : 'join_request_id')
  return describeById(item, id)
}

function describeById(item: Fields, id: string | null): Described {
  const type = innerType(item)
  return { type, key: keyUnless(id, type, textOf(own(item, 'timestamp'))) }
}

function innerType(item: Fields): string | null {
  return firstText(item, 'type', 'event', 'decision')
}

/** Null where any part is missing: then the whole identifies it. */
function keyUnless(...parts: readonly (string | null)[]): readonly string[] | null {
  const known = parts.filter((part) => part !== null)
  return known.length === parts.length ? known : null
}

/** The list in a field's value whose items are events; null where the value is the only one. */
export function listOfField(field: string): string | null {
  if (field.startsWith('group_')) return 'groups'
  return Object.hasOwn(LISTS, field) ? (LISTS[field] ?? null) : null
}

const LISTS: Readonly<Record<string, string>> = {
  user_preferences: 'user_preferences',
  user_id_update: 'user_id_update',
  smb_app_state_sync: 'state_sync',
  automatic_events: 'automatic_events',
}
