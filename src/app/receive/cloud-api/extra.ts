// What nothing else keeps of a message: keys that WhatsApp adds without notice, and small ones that
// have no place of their own.
import { type Fields, fieldsOf, own } from './shape.ts'

/** Keys of a message that are read, or kept elsewhere. */
const OF_MESSAGE = [
  ...['id', 'type', 'timestamp', 'context', 'referral', 'errors', 'group_id'],
  ...['from', 'from_user_id', 'from_parent_user_id', 'to', 'to_user_id', 'to_parent_user_id'],
  // In standby, the message itself.
  'message',
]
const OF_CONTEXT = [
  ...['id', 'message_id', 'from', 'forwarded', 'frequently_forwarded', 'referred_product'],
]
const OF_MEDIA = [
  ...['id', 'url', 'link', 'mime_type', 'sha256', 'caption', 'filename', 'voice', 'animated'],
]
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

/** The rest of a message of this type, under the names it came with; null where there is none. */
export function extraOf(type: string, item: Fields): Fields | null {
  const known = Object.hasOwn(OF_TYPES, type) ? OF_TYPES[type] : undefined
  const extra = {
    ...rest(item, [...OF_MESSAGE, type]),
    ...(known === undefined ? {} : restOf(type, item, known)),
    ...restOf('context', item, OF_CONTEXT),
  }
  return Object.keys(extra).length === 0 ? null : extra
}

function restOf(name: string, item: Fields, known: readonly string[]): Fields {
  const part = rest(fieldsOf(own(item, name)), known)
  return Object.keys(part).length === 0 ? {} : { [name]: part }
}

function rest(fields: Fields, known: readonly string[]): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => !known.includes(name) && value !== null && value !== '',
    ),
  )
}
