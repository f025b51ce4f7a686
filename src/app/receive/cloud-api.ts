// The Cloud API's format: a batch of entries, changes and items, each item an event. Nothing that
// was signed is refused: what no rule here describes is an event as it is.
import { isUtf8 } from 'node:buffer'
import { CURRENT_RULES, type IncomingEvent, type Rules } from '../model/event.ts'
import { type Change, framesOf, listIn } from './cloud-api/envelope.ts'
import { historyIn } from './cloud-api/history.ts'
import { hasOnePerson, senderOf } from './cloud-api/identity.ts'
import { messageFrom } from './cloud-api/messages.ts'
import { oddItem, oddPart } from './cloud-api/odd.ts'
import { clickFrom, errorFrom, kindOfField, listOfField, otherFrom } from './cloud-api/others.ts'
import {
  digestKeyOf,
  fieldsOf,
  isFields,
  itemsOf,
  itemsWithin,
  own,
  partsBeside,
} from './cloud-api/shape.ts'
import { standbyStatus, statusFrom, statusRecipientOf } from './cloud-api/statuses.ts'
import { parseJsonBy } from './parse.ts'

/** What may stand beside the items of any field, and is none. */
const SHARED = ['messaging_product', 'metadata', 'field', 'contacts', 'errors']
/**
 * Of all lists in a body. Meta sends up to 1,000 updates in 3 MB; as many tiny items as fit into a
 * body would keep everybody else waiting for seconds.
 */
const MAX_ITEMS = 50_000
/** What may stand in a standby. */
const COPIES = ['messages', 'message_echoes', 'statuses', 'contacts']

/** How a field is read whose value has lists of its own kind. */
type FieldReader = {
  readonly items: (change: Change) => readonly IncomingEvent[]
  readonly lists: readonly string[]
}

const ECHOES: FieldReader = { items: echoesIn, lists: ['message_echoes', 'messages'] }
const READERS: Readonly<Record<string, FieldReader>> = {
  messages: { items: messagesIn, lists: ['messages', 'statuses', 'user_actions'] },
  message_echoes: ECHOES,
  smb_message_echoes: ECHOES,
  history: { items: historyIn, lists: ['history', 'messages'] },
  standby: { items: standbyIn, lists: ['standby'] },
  calls: { items: callsIn, lists: ['calls', 'statuses'] },
}

/**
 * The events in a body that arrived at `receivedAt` (ms since 1970); at least one, whatever the
 * bytes are. Never throws. Facts: Meta's "Webhooks reference" of the WhatsApp Business Platform.
 */
export function parseCloudApi(
  body: Buffer,
  receivedAt: number,
  rules: Rules = CURRENT_RULES,
): readonly IncomingEvent[] {
  let value: unknown
  try {
    value = parseJsonBy(rules, body)
  } catch {
    return [unparsed(body, receivedAt, rules)]
  }
  if (rules >= 2 && hasTooManyItems(body, value)) {
    return [oddPart('oversized', { unparsed: body.toString('utf8') }, receivedAt)]
  }
  return framesOf(value, { receivedAt, rules }).flatMap((frame) =>
    frame.kind === 'odd' ? [oddPart(frame.type, frame.item, receivedAt)] : eventsOf(frame.change),
  )
}

/** Bytes that are no text become the same text as many others: they are known by themselves. */
function unparsed(body: Buffer, receivedAt: number, rules: Rules): IncomingEvent {
  const event = oddPart('unparsed', { unparsed: body.toString('utf8') }, receivedAt)
  if (rules < 3 || isUtf8(body)) return event
  return { ...event, key: digestKeyOf('unparsed', body.toString('latin1')) }
}

/** An item takes two bytes at least, itself and a comma: a short body need not be looked at. */
function hasTooManyItems(body: Buffer, value: unknown): boolean {
  return body.byteLength > 2 * MAX_ITEMS && itemsWithin(value) > MAX_ITEMS
}

/** A change without anything in it is an event too: nothing that came is dropped. */
function eventsOf(change: Change): readonly IncomingEvent[] {
  const events = [...itemsIn(change), ...errorsIn(change)]
  return events.length > 0 ? [...events, ...unknownIn(change)] : [emptyChange(change)]
}

function itemsIn(change: Change): readonly IncomingEvent[] {
  return (readerOf(change)?.items ?? othersIn)(change)
}

function readerOf(change: Change): FieldReader | undefined {
  const ofField = Object.hasOwn(READERS, change.field) ? READERS[change.field] : undefined
  return ofField ?? (hasMessages(change) ? READERS['messages'] : undefined)
}

/** Also where the field is missing or misspelled: the lists say what they are. */
function hasMessages({ value }: Change): boolean {
  return ['messages', 'statuses'].some((name) => own(value, name))
}

function messagesIn(change: Change): readonly IncomingEvent[] {
  const list = (name: string) => listIn(change, name)
  const [messages, statuses] = [list('messages'), list('statuses')]
  const isOnlySender = hasOnePerson(messages, senderOf)
  const isOnlyRecipient =
    messages.length === 0 && hasOnePerson(statuses, (item) => statusRecipientOf(item, change))
  return [
    ...messages.map((item) =>
      messageFrom(item, {
        change,
        namespace: '',
        direction: 'inbound',
        isOnlyPerson: isOnlySender,
      }),
    ),
    ...statuses.map((item) => statusFrom(item, change, isOnlyRecipient)),
    ...list('user_actions').map((item) => clickFrom(item, change)),
  ]
}

function echoesIn(change: Change): readonly IncomingEvent[] {
  const echoes = [...listIn(change, 'message_echoes'), ...listIn(change, 'messages')]
  return echoes.map((item) =>
    messageFrom(item, {
      change,
      namespace: 'echo',
      direction: 'outbound',
      isOnlyPerson: echoes.length === 1,
    }),
  )
}

function standbyIn(change: Change): readonly IncomingEvent[] {
  const standby = fieldsOf(own(change.value, 'standby'))
  const copies = (name: string, direction: 'inbound' | 'outbound') => {
    const items = itemsOf(own(standby, name))
    const isOnlyPerson = items.length === 1
    return items.map((item) =>
      messageFrom(item, { change, namespace: 'standby', direction, isOnlyPerson }),
    )
  }
  return [
    ...copies('messages', 'inbound'),
    ...copies('message_echoes', 'outbound'),
    ...itemsOf(own(standby, 'statuses')).map((item) => standbyStatus(item, change)),
  ]
}

function callsIn(change: Change): readonly IncomingEvent[] {
  const items = [...listIn(change, 'calls'), ...listIn(change, 'statuses')]
  return items.map((item) =>
    isFields(item) ? otherFrom(item, 'call', change) : oddItem(change, item),
  )
}

function othersIn(change: Change): readonly IncomingEvent[] {
  const kind = kindOfField(change.field)
  if (kind === null) return hasOnlyErrors(change) ? [] : [oddItem(change, change.value)]
  const items = itemsOfField(change)
  if (items.length === 0) return [otherFrom(change.value, kind, change)]
  return items.map((item) => otherFrom(item, kind, change))
}

function itemsOfField({ field, value }: Change): readonly unknown[] {
  const list = listOfField(field)
  return list === null ? [] : itemsOf(own(value, list))
}

/** Lists and objects that nobody told us of, beside those that are read. */
function unknownIn(change: Change): readonly IncomingEvent[] {
  const { field, value, raw, rules } = change
  const read = listsRead(change)
  const inStandby =
    field === 'standby' ? partsBeside(fieldsOf(own(value, 'standby')), COPIES, rules) : []
  const unknown = [
    ...partsBeside(fieldsOf(raw), ['value'], rules),
    ...(read === null ? [] : partsBeside(value, [...read, ...SHARED], rules)),
    ...inStandby.map((standby) => ({ standby })),
  ]
  return unknown.map((parts) => oddItem(change, parts))
}

/** The lists of a change whose items are events; null where its value is one as a whole. */
function listsRead(change: Change): readonly string[] | null {
  const reader = readerOf(change)
  if (reader !== undefined) return reader.lists
  const list = listOfField(change.field)
  return list === null || itemsOfField(change).length === 0 ? null : [list]
}

function errorsIn(change: Change): readonly IncomingEvent[] {
  return listIn(change, 'errors').map((item, n) => errorFrom(item, n, change))
}

function hasOnlyErrors({ value }: Change): boolean {
  const hasErrors = itemsOf(own(value, 'errors')).length > 0
  return hasErrors && Object.keys(value).every((name) => SHARED.includes(name))
}

function emptyChange(change: Change): IncomingEvent {
  const kind = kindOfField(change.field)
  return kind === null ? oddItem(change, change.raw) : otherFrom(change.value, kind, change)
}
