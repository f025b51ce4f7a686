// People and businesses in a payload. A person may have a phone number, a business-scoped user id
// (BSUID), or both; a relay may have put the one in the place of the other.
import type { Identity } from '../../model/contact.ts'
import { type Fields, fieldsOf, firstId, firstText, itemsOf, short, textOf } from './shape.ts'

const NOBODY: Identity = {
  phone: null,
  userId: null,
  parentUserId: null,
  username: null,
  name: null,
}
/** `+` and digits; more than E.164 has, since WhatsApp's own accounts have short and long ones. */
const PHONE = /^\+?\d{1,20}$/

type Names = {
  readonly address: readonly string[]
  readonly userId: readonly string[]
  readonly parentUserId: readonly string[]
}

const SENDER: Names = {
  address: ['from'],
  userId: ['from_user_id'],
  parentUserId: ['from_parent_user_id'],
}
const RECIPIENT: Names = {
  address: ['to'],
  userId: ['to_user_id'],
  parentUserId: ['to_parent_user_id'],
}
const STATUS_RECIPIENT: Names = {
  address: ['recipient_id'],
  userId: ['recipient_user_id'],
  parentUserId: ['recipient_parent_user_id', 'parent_recipient_user_id', 'parent_user_id'],
}
const PARTICIPANT: Names = {
  address: ['recipient_participant_id', 'participant_recipient_id'],
  userId: ['recipient_participant_user_id', 'participant_recipient_user_id'],
  parentUserId: ['recipient_participant_parent_user_id'],
}
const WA_ID: Names = {
  address: ['wa_id', 'phone_number', 'new_wa_id'],
  userId: ['user_id'],
  parentUserId: ['parent_user_id'],
}

/** Who sent an item. */
export const senderOf = (item: Fields) => identityFrom(item, SENDER)
/** To whom an item was sent. */
export const recipientOf = (item: Fields) => identityFrom(item, RECIPIENT)
/** Whom a status is about. */
export const recipientOfStatus = (item: Fields) => identityFrom(item, STATUS_RECIPIENT)
/** Whom a status of a group is about. */
export const participantOf = (item: Fields) => identityFrom(item, PARTICIPANT)
/** Whom an item with `wa_id` and `user_id` is about. */
export const subjectOf = (item: Fields) => identityFrom(item, WA_ID)

/** A phone number with its `+`, of up to 20 digits and nothing between them; null for anything else. */
export function phoneFrom(value: unknown): string | null {
  const text = textOf(value)
  return text !== null && PHONE.test(text) ? `+${text.replace('+', '')}` : null
}

/** The number of the business in `metadata`, else its id, else "". */
export function businessOf(metadata: Fields): string {
  const digits = firstText(metadata, 'display_phone_number')?.replace(/\D/g, '') ?? ''
  return digits === '' ? (firstId(metadata, 'phone_number_id') ?? '') : short(`+${digits}`)
}

/** A username, without the @ that some payloads have. */
export function usernameIn(fields: Fields): string | null {
  return firstId(fields, 'username')?.replace(/^@/, '') || null
}

/** Null where nothing of it is known. */
export function nullIfNobody(identity: Identity): Identity | null {
  return Object.values(identity).some((part) => part !== null) ? identity : null
}

function identityFrom(item: Fields, { address, userId, parentUserId }: Names): Identity {
  const given = firstId(item, ...address)
  const phone = phoneFrom(given)
  const id = firstId(item, ...userId) ?? (phone === null ? given : null)
  return { ...NOBODY, phone, userId: id, parentUserId: firstId(item, ...parentUserId) }
}

/** The persons that a list of items come from, to know whether there is only one. */
export function hasOnePerson(items: readonly unknown[], identityOf: (item: Fields) => Identity) {
  const keys = itemsOf(items).map((item) => {
    const { phone, userId } = identityOf(fieldsOf(item))
    return userId ?? phone ?? ''
  })
  return new Set(keys).size <= 1
}
