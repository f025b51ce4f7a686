// What a person would search a message for.
import type { Rules } from '../../model/event.ts'
import { withoutNul } from '../../model/fold.ts'
import { type Fields, fieldsOf, firstText, itemsOf, own } from './shape.ts'
import { nameInVcard } from './vcard.ts'

type Project = (part: Fields, item: Fields, rules: Rules) => readonly (string | null)[]

const CAPTION: Project = (part) => [firstText(part, 'caption')]

const TEXTS: Readonly<Record<string, Project>> = {
  text: (part) => [bodyOf(part)],
  image: CAPTION,
  video: CAPTION,
  audio: CAPTION,
  voice: CAPTION,
  sticker: CAPTION,
  document: (part) => [firstText(part, 'caption'), firstText(part, 'filename')],
  location: (part) => [firstText(part, 'name'), firstText(part, 'address')],
  contacts: (_, item, rules) => [namesIn(itemsOf(own(item, 'contacts')), rules)],
  button: (part) => [firstText(part, 'text')],
  interactive: repliesIn,
  reaction: (part) => [firstText(part, 'emoji')],
  order: (part) => [firstText(part, 'text')],
  system: (part) => [firstText(part, 'body')],
}

/** The text of a message of this type; null where there is nothing to read. */
export function textOfMessage(type: string, item: Fields, rules: Rules): string | null {
  const project = Object.hasOwn(TEXTS, type) ? TEXTS[type] : undefined
  if (project === undefined) return null
  const parts = project(fieldsOf(own(item, type)), item, rules)
  const text = parts.filter((part) => part !== null).join('\n')
  return text === '' ? null : text
}

/** An empty body is a text too. */
function bodyOf(part: Fields): string | null {
  const body = own(part, 'body')
  return typeof body === 'string' ? withoutNul(body.toWellFormed()) : null
}

function namesIn(contacts: readonly unknown[], rules: Rules): string | null {
  const names = contacts
    .map((contact) => nameOf(fieldsOf(contact), rules))
    .filter((name) => name !== null)
  return names.length === 0 ? null : names.join(', ')
}

/** Who is asked for their own contact sends a vCard and no name beside it. */
function nameOf(contact: Fields, rules: Rules): string | null {
  const name = fieldsOf(own(contact, 'name'))
  const given = firstText(name, 'formatted_name', 'first_name', 'last_name')
  if (given !== null || rules < 3) return given
  const vcard = firstText(contact, 'vcard')
  return vcard === null ? null : nameInVcard(vcard)
}

function repliesIn(part: Fields): readonly (string | null)[] {
  const replies = ['button_reply', 'list_reply'].map((name) => fieldsOf(own(part, name)))
  return [
    ...replies.flatMap((reply) => [firstText(reply, 'title'), firstText(reply, 'description')]),
    firstText(fieldsOf(own(part, 'nfm_reply')), 'body'),
    // As a business sends them: what an echo shows.
    firstText(fieldsOf(own(part, 'body')), 'text'),
  ]
}
