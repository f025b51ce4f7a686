// What a person would search a message for.
import { withoutNul } from '../../model/fold.ts'
import { type Fields, fieldsOf, firstText, itemsOf, own } from './shape.ts'

type Project = (part: Fields, item: Fields) => readonly (string | null)[]

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
  contacts: (_, item) => [namesIn(itemsOf(own(item, 'contacts')))],
  button: (part) => [firstText(part, 'text')],
  interactive: repliesIn,
  reaction: (part) => [firstText(part, 'emoji')],
  order: (part) => [firstText(part, 'text')],
  system: (part) => [firstText(part, 'body')],
}

/** The text of a message of this type; null where there is nothing to read. */
export function textOfMessage(type: string, item: Fields): string | null {
  const project = Object.hasOwn(TEXTS, type) ? TEXTS[type] : undefined
  if (project === undefined) return null
  const parts = project(fieldsOf(own(item, type)), item)
  const text = parts.filter((part) => part !== null).join('\n')
  return text === '' ? null : text
}

/** An empty body is a text too. */
function bodyOf(part: Fields): string | null {
  const body = own(part, 'body')
  return typeof body === 'string' ? withoutNul(body.toWellFormed()) : null
}

function namesIn(contacts: readonly unknown[]): string | null {
  const names = contacts
    .map((contact) => fieldsOf(own(fieldsOf(contact), 'name')))
    .map((name) => firstText(name, 'formatted_name', 'first_name', 'last_name'))
    .filter((name) => name !== null)
  return names.length === 0 ? null : names.join(', ')
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
