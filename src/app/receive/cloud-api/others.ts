// Everything that is no message and no status: calls, groups, preferences, accounts…
import type { OtherEvent, OtherKind, Rules } from '../../model/event.ts'
import { describe } from './descriptions.ts'
import type { Change } from './envelope.ts'
import { nullIfNobody } from './identity.ts'
import {
  digestKeyOf,
  type Fields,
  fieldsOf,
  firstText,
  keyOf,
  own,
  short,
  textOf,
} from './shape.ts'
import { momentOf } from './time.ts'

/** Which fields are of a kind; the first pattern that a field meets counts. */
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

/** Where the items of a field are that are events of their own. */
const LISTS: Readonly<Record<string, string>> = {
  user_preferences: 'user_preferences',
  user_id_update: 'user_id_update',
  smb_app_state_sync: 'state_sync',
  automatic_events: 'automatic_events',
}

/** Which kind a field is of; null for a field that nobody told us of. */
export function kindOfField(field: string): OtherKind | null {
  const [, kind] = KINDS.find(([pattern]) => pattern.test(field)) ?? []
  return kind ?? null
}

/** The event of one item of a field. */
export function otherFrom(given: unknown, kind: OtherKind, change: Change): OtherEvent {
  const { field, entryId, entryTime, receivedAt, rules } = change
  const item = fieldsOf(given)
  const { type, key, contact, formerly, phoneNumberId } = describe(field, item, rules)
  const metadata = fieldsOf(own(item, 'metadata'))
  return {
    kind,
    type: typeOf(field, type),
    key:
      key === null ? digestKeyOf(field, entryId, entryTime ?? null, given) : keyOf(field, ...key),
    data: given,
    contact: contact === undefined ? null : nullIfNobody(change.profiles.with(contact, false)),
    ...(formerly === undefined ? {} : { formerly }),
    phoneNumberId: change.phoneNumberId ?? phoneNumberId ?? null,
    ...momentOf(receivedAt, own(item, 'timestamp'), own(metadata, 'timestamp'), entryTime),
  }
}

/** A field, and the provider's word for what is in it, where there is one. */
function typeOf(field: string, word: string | null): string {
  return word === null ? field : short(`${field}:${word}`)
}

/**
 * The time of their entry tells errors that look the same from one that is sent again. Without it,
 * two that look the same are two: they name nothing that is the same.
 */
function keyOfError(given: unknown, n: number, change: Change): string | null {
  const { field, entryId, entryTime, phoneNumberId, rules } = change
  if (rules < 3 || textOf(entryTime) === null) return null
  return digestKeyOf(field, entryId, entryTime, phoneNumberId, n, given)
}

/** A fault that Meta tells of; `n` is its place among those of the change. */
export function errorFrom(given: unknown, n: number, change: Change): OtherEvent {
  const code = textOf(own(fieldsOf(given), 'code'))
  return {
    kind: 'error',
    type: typeOf(change.field, code),
    key: keyOfError(given, n, change),
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
    key: id === null ? digestKeyOf(field, entryId, entryTime ?? null, given) : keyOf('click', id),
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

/** The list in a field's value whose items are events; null where the value is the only one. */
export function listOfField(field: string): string | null {
  if (field.startsWith('group_')) return 'groups'
  return Object.hasOwn(LISTS, field) ? (LISTS[field] ?? null) : null
}
