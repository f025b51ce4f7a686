// What an item of a field says of itself: what it is, what identifies it, whom it is about.
import { addressOf, type Identity } from '../../model/contact.ts'
import type { Rules } from '../../model/event.ts'
import { recipientOf, recipientOfStatus, senderOf, subjectOf, usernameIn } from './identity.ts'
import { type Fields, fieldsOf, firstId, firstText, own, textOf } from './shape.ts'

type Described = {
  readonly type: string | null
  /** What identifies it, where it has anything that does. */
  readonly key: readonly string[] | null
  readonly contact?: Identity
  readonly formerly?: Identity
  /** Where the item names it, and not the change. */
  readonly phoneNumberId?: string | null
}

const DESCRIPTIONS: Readonly<Record<string, (item: Fields, rules: Rules) => Described>> = {
  calls: describeCall,
  user_preferences: describePreference,
  user_id_update: describeNewId,
  smb_app_state_sync: describeAddress,
  automatic_events: (item) => ({
    type: firstText(item, 'event_name'),
    key: keyUnless(firstText(item, 'id'), firstText(item, 'event_name')),
  }),
  messaging_handovers: describeHandover,
  account_settings_update: describeSettings,
  group_lifecycle_update: describeGroup,
  group_participants_update: describeParticipants,
  group_participant_update: describeParticipants,
  group_settings_update: describeGroup,
  group_status_update: describeGroup,
}

/** What an item of a field says it is. Of fields without a rule the whole is what identifies it. */
export function describe(field: string, item: Fields, rules: Rules): Described {
  const rule = Object.hasOwn(DESCRIPTIONS, field) ? DESCRIPTIONS[field] : undefined
  return rule?.(item, rules) ?? asAWhole(item)
}

function asAWhole(item: Fields): Described {
  return { type: innerType(item), key: null }
}

function describeCall(item: Fields): Described {
  const what = firstText(item, 'event', 'status')
  const id = firstText(item, 'id')
  const isOurs = own(item, 'direction') === 'BUSINESS_INITIATED'
  const named = isOurs ? recipientOf(item) : senderOf(item)
  const recipient = recipientOfStatus(item)
  const contact =
    addressOf(named) === null ? recipient : { ...named, phone: named.phone ?? recipient.phone }
  return { type: what, key: keyUnless(id, what), contact }
}

/** Who stops and resumes in one second has done both. By earlier rules only the first one counted. */
function describePreference(item: Fields, rules: Rules): Described {
  const contact = subjectOf(item)
  const value = firstText(item, 'value')
  const parts = [
    contact.userId ?? contact.phone,
    firstText(item, 'category'),
    firstText(item, 'timestamp'),
  ]
  return {
    type: value,
    key: keyUnless(...parts, ...(rules < 3 ? [] : [value])),
    contact,
  }
}

function describeNewId(item: Fields): Described {
  const [now, before] = ['current', 'previous'].map((name) => ({
    ...subjectOf({}),
    userId: firstId(fieldsOf(own(item, 'user_id')), name),
    parentUserId: firstId(fieldsOf(own(item, 'parent_user_id')), name),
  }))
  const subject = subjectOf(item)
  const contact = { ...subject, ...now, phone: subject.phone }
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
  return { ...describeById(item, id), contact: { ...subjectOf(item), username: usernameIn(item) } }
}

function describeById(item: Fields, id: string | null): Described {
  const type = innerType(item)
  return { type, key: keyUnless(id, type, textOf(own(item, 'timestamp'))) }
}

/** It has no metadata: the sender is the person, the recipient the business. */
function describeHandover(item: Fields, rules: Rules): Described {
  return {
    ...asAWhole(item),
    contact: subjectOf(fieldsOf(own(item, 'sender'))),
    phoneNumberId: rules < 3 ? null : phoneNumberIn(own(item, 'recipient')),
  }
}

function describeSettings(item: Fields, rules: Rules): Described {
  const settings = own(item, 'phone_number_settings')
  return { ...asAWhole(item), phoneNumberId: rules < 3 ? null : phoneNumberIn(settings) }
}

function phoneNumberIn(part: unknown): string | null {
  return firstId(fieldsOf(part), 'phone_number_id')
}

function innerType(item: Fields): string | null {
  return firstText(item, 'type', 'event', 'decision')
}

/** Null where any part is missing: then the whole identifies it. */
function keyUnless(...parts: readonly (string | null)[]): readonly string[] | null {
  const known = parts.filter((part) => part !== null)
  return known.length === parts.length ? known : null
}
