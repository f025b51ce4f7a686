// What nothing else keeps of a message: keys that WhatsApp adds without notice, and small ones that
// have no place of their own.
import { type Fields, fieldsOf, isFields, own } from './shape.ts'

/** Keys of a message that are read, or kept elsewhere. */
const OF_MESSAGE = [
  ...['id', 'type', 'timestamp', 'context', 'referral', 'errors', 'group_id'],
  ...['from', 'from_user_id', 'from_parent_user_id', 'to', 'to_user_id', 'to_parent_user_id'],
]
const OF_CONTEXT = [
  ...['id', 'message_id', 'from', 'forwarded', 'frequently_forwarded', 'referred_product'],
]
const OF_MEDIA = [
  ...['id', 'url', 'link', 'mime_type', 'sha256', 'caption', 'filename', 'voice', 'animated'],
]
/** Keys of a contact that say who somebody is. */
const OF_CONTACT = ['wa_id', 'phone_number', 'new_wa_id', 'user_id', 'parent_user_id', 'username']
const OF_PROFILE = ['name', 'username']
/** Of types whose object is not kept as it is. */
const OF_TYPES: Readonly<Record<string, readonly string[]>> = {
  text: ['body'],
  reaction: ['message_id', 'emoji'],
  image: OF_MEDIA,
  video: OF_MEDIA,
  audio: OF_MEDIA,
  voice: OF_MEDIA,
  document: OF_MEDIA,
  sticker: OF_MEDIA,
}

/** The rest of a message of this type, under the names it came with. */
export function extraOf(type: string, item: Fields): Fields {
  return {
    ...rest(item, [...OF_MESSAGE, type, ...(holdsItself(type, item) ? ['message'] : [])]),
    ...(isKept(type, item) ? {} : restOf(type, item, OF_TYPES[type] ?? [])),
    ...restOf('context', item, OF_CONTEXT),
  }
}

/** The rest of the contact of a message, as a part of what nothing else keeps of that. */
export function extraOfContact(contact: Fields): Fields {
  const extra = {
    ...rest(contact, [...OF_CONTACT, 'profile']),
    ...restOf('profile', contact, OF_PROFILE),
  }
  return Object.keys(extra).length === 0 ? {} : { contact: extra }
}

/** Objects, and the list of contacts, are kept as they are, but for those of which parts are read. */
function isKept(type: string, item: Fields): boolean {
  const isPart = isFields(own(item, type)) || type === 'contacts'
  return isPart && !Object.hasOwn(OF_TYPES, type)
}

/** In standby a message is in one of its own fields. */
function holdsItself(type: string, item: Fields): boolean {
  return own(fieldsOf(own(item, 'message')), 'type') === type
}

/** What is left of a part: the keys nobody knows, or all of it where it is no object. */
function restOf(name: string, item: Fields, known: readonly string[]): Fields {
  const part = own(item, name)
  if (!isFields(part)) return part === undefined ? {} : rest({ [name]: part }, [])
  const unknown = rest(part, known)
  return Object.keys(unknown).length === 0 ? {} : { [name]: unknown }
}

function rest(fields: Fields, known: readonly string[]): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => !known.includes(name) && value !== null && value !== '',
    ),
  )
}
