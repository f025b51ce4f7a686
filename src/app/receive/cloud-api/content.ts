// What a message holds beside its text.
import {
  type Content,
  type Context,
  type Media,
  type MediaKind,
  PLACEHOLDER,
} from '../../model/content.ts'
import { parseJsonBy } from '../parse.ts'
import type { Reading } from './envelope.ts'
import { extraOf, extraOfContact } from './extra.ts'
import { type Fields, fieldsOf, firstText, idOf, isFields, own } from './shape.ts'
import { tsOf } from './time.ts'

const MEDIA_KINDS: Readonly<Record<string, MediaKind>> = {
  image: 'image',
  video: 'video',
  audio: 'audio',
  voice: 'audio',
  document: 'document',
  sticker: 'sticker',
}
/** Types whose object is kept under their own name; without it the item is odd. */
const WITH_OBJECT: readonly (keyof Content)[] = ['location', 'button', 'order', 'system']
/** Types that may come without an object, as `unsupported` does in older payloads. */
const MAYBE_WITHOUT: readonly (keyof Content)[] = ['unsupported', 'request_welcome', PLACEHOLDER]
const URL_LIFE_MS = 5 * 60 * 1000
const ID_LIFE_MS = 7 * 24 * 60 * 60 * 1000

/** The content of a message of this type, from or to the person of this contact. */
export function contentOf(
  type: string,
  item: Fields,
  contact: Fields,
  reading: Reading,
): Content | null {
  const context = contextOf(item)
  const groupId = idOf(own(item, 'group_id'))
  const errors = own(item, 'errors')
  const ofType = typed(type, item, reading)
  const isWhole = ofType.raw !== undefined
  const extra = {
    ...(reading.rules < 3 ? {} : extraOfContact(contact)),
    ...(isWhole || reading.rules < 2 ? {} : extraOf(type, item)),
  }
  const content: Content = {
    ...ofType,
    ...(context === null ? {} : { context }),
    ...(groupId === null ? {} : { group_id: groupId }),
    ...(Array.isArray(errors) && errors.length > 0 ? { errors } : {}),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  }
  return Object.keys(content).length === 0 ? null : content
}

/** The file of a message of this type that arrived at `receivedAt` (ms since 1970); null without one. */
export function mediaIn(type: string, item: Fields, receivedAt: number): Media | null {
  const part = own(item, type)
  const kind = Object.hasOwn(MEDIA_KINDS, type) ? MEDIA_KINDS[type] : undefined
  return kind !== undefined && isFields(part) ? mediaOf(kind, type, part, receivedAt) : null
}

function typed(type: string, item: Fields, reading: Reading): Content {
  const part = own(item, type)
  const media = mediaIn(type, item, reading.receivedAt)
  if (media !== null) return { media }
  if (type === 'reaction') return reactionOf(fieldsOf(part), item)
  if (type === 'text') return isText(part) ? {} : { raw: item }
  if (type === 'contacts') return Array.isArray(part) ? { contacts: part } : { raw: item }
  if (type === 'interactive' && isFields(part)) return { interactive: withResponse(part, reading) }
  const bare = MAYBE_WITHOUT.find((name) => name === type)
  if (bare !== undefined) return isFields(part) ? { [bare]: part } : {}
  const kept = WITH_OBJECT.find((name) => name === type)
  return kept !== undefined && isFields(part) ? { [kept]: part } : { raw: item }
}

function isText(part: unknown): boolean {
  return typeof own(fieldsOf(part), 'body') === 'string'
}

function mediaOf(kind: MediaKind, type: string, part: Fields, receivedAt: number): Media {
  const id = firstText(part, 'id')
  const url = firstText(part, 'url', 'link')
  return {
    kind,
    id,
    mime_type: firstText(part, 'mime_type'),
    sha256: firstText(part, 'sha256'),
    caption: firstText(part, 'caption'),
    file_name: firstText(part, 'filename'),
    voice: type === 'voice' || own(part, 'voice') === true,
    animated: own(part, 'animated') === true,
    url,
    url_expires_at: url === null ? null : tsOf(receivedAt + URL_LIFE_MS),
    id_expires_at: id === null ? null : tsOf(receivedAt + ID_LIFE_MS),
  }
}

function reactionOf(part: Fields, item: Fields): Content {
  const messageId = idOf(own(part, 'message_id'))
  if (messageId === null) return { raw: item }
  return { reaction: { message_id: messageId, emoji: firstText(part, 'emoji') } }
}

/** A flow's answers are JSON in a string: parsed beside it, where it is JSON. */
function withResponse(part: Fields, { rules }: Reading): Fields {
  const reply = own(part, 'nfm_reply')
  const json = own(fieldsOf(reply), 'response_json')
  if (!isFields(reply) || typeof json !== 'string') return part
  try {
    const response = parseJsonBy(rules, Buffer.from(json))
    return { ...part, nfm_reply: { ...reply, response } }
  } catch {
    return part
  }
}

function contextOf(item: Fields): Context | null {
  const context = fieldsOf(own(item, 'context'))
  const found: Context = {
    message_id: firstText(context, 'id', 'message_id'),
    from: firstText(context, 'from'),
    forwarded: own(context, 'forwarded') === true,
    frequently_forwarded: own(context, 'frequently_forwarded') === true,
    referred_product: own(context, 'referred_product') ?? null,
    referral: own(item, 'referral') ?? null,
  }
  const says = Object.values(found).some((value) => value !== null && value !== false)
  return says ? found : null
}
