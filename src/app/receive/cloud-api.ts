// The Cloud API's format: a batch of entries, changes and items, each item an event. Nothing that
// was signed is refused: what no rule here describes is an event as it is.
import type { IncomingEvent, Rules } from '../model/event.ts'
import { type Change, framesOf } from './cloud-api/envelope.ts'
import { historyMessage } from './cloud-api/history.ts'
import { hasOnePerson, senderOf, statusRecipientOf } from './cloud-api/identity.ts'
import { messageFrom } from './cloud-api/messages.ts'
import { oddItem, oddPart } from './cloud-api/odd.ts'
import {
  clickFrom,
  errorFrom,
  historyChunk,
  kindOfField,
  listOfField,
  otherFrom,
} from './cloud-api/others.ts'
import { fieldsOf, isFields, itemsOf, listsBeside, own } from './cloud-api/shape.ts'
import { standbyStatus, statusFrom } from './cloud-api/statuses.ts'
import { parseJsonExactly, parseJsonLoosely } from './parse.ts'

/** What may stand beside the items of any field: it is read with them. */
const SHARED = ['messaging_product', 'metadata', 'field', 'contacts', 'errors']
/** What may stand in a standby. */
const COPIES = ['messages', 'message_echoes', 'statuses', 'contacts']

/**
 * The events in a body that arrived at `receivedAt` (ms since 1970); at least one, whatever the
 * bytes are. Never throws. Facts: Meta's "Webhooks reference" of the WhatsApp Business Platform.
 */
export function parseCloudApi(
  body: Buffer,
  receivedAt: number,
  rules: Rules = 'current',
): readonly IncomingEvent[] {
  let value: unknown
  try {
    value = rules === 'current' ? parseJsonExactly(body) : parseJsonLoosely(body)
  } catch {
    return [oddPart('unparsed', { unparsed: body.toString('utf8') }, receivedAt)]
  }
  return framesOf(value, { receivedAt, rules }).flatMap((frame) =>
    frame.kind === 'odd' ? [oddPart(frame.type, frame.item, receivedAt)] : eventsOf(frame.change),
  )
}

/** A change without anything in it is an event too: nothing that came is dropped. */
function eventsOf(change: Change): readonly IncomingEvent[] {
  const events = [...itemsIn(change), ...errorsIn(change)]
  return events.length > 0 ? [...events, ...unknownInStandby(change)] : [emptyChange(change)]
}

function itemsIn(change: Change): readonly IncomingEvent[] {
  switch (change.field) {
    case 'message_echoes':
    case 'smb_message_echoes':
      return echoesIn(change)
    case 'history':
      return historyIn(change)
    case 'standby':
      return standbyIn(change)
    case 'calls':
      return callsIn(change)
    default:
      return hasMessages(change) ? messagesIn(change) : othersIn(change)
  }
}

/** Also where the field is missing or misspelled: the lists say what they are. */
function hasMessages({ field, value }: Change): boolean {
  return field === 'messages' || ['messages', 'statuses'].some((name) => own(value, name))
}

function messagesIn(change: Change): readonly IncomingEvent[] {
  const list = (name: string) => listIn(change, name)
  const [messages, statuses] = [list('messages'), list('statuses')]
  const isOnlySender = hasOnePerson(messages, senderOf)
  const isOnlyRecipient = messages.length === 0 && hasOnePerson(statuses, statusRecipientOf)
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
    ...unknownLists(change, 'messages', 'statuses', 'user_actions'),
  ]
}

function echoesIn(change: Change): readonly IncomingEvent[] {
  const echoes = [...listIn(change, 'message_echoes'), ...listIn(change, 'messages')]
  return [
    ...echoes.map((item) =>
      messageFrom(item, {
        change,
        namespace: 'echo',
        direction: 'outbound',
        isOnlyPerson: echoes.length === 1,
      }),
    ),
    ...unknownLists(change, 'message_echoes', 'messages'),
  ]
}

function historyIn(change: Change): readonly IncomingEvent[] {
  const chunks = listIn(change, 'history')
  return [
    ...chunks.flatMap((chunk) => [
      historyChunk(chunk, change),
      ...itemsOf(own(fieldsOf(chunk), 'threads')).flatMap((thread) => threadIn(thread, change)),
    ]),
    ...listIn(change, 'messages').flatMap((item) => historyMessage(item, {}, change)),
    ...unknownLists(change, 'history', 'messages'),
  ]
}

function threadIn(given: unknown, change: Change): readonly IncomingEvent[] {
  const thread = fieldsOf(given)
  const messages = itemsOf(own(thread, 'messages'))
  if (messages.length === 0) return [oddItem(change, given)]
  return messages.flatMap((item) => historyMessage(item, thread, change))
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
    ...unknownLists(change),
  ]
}

/** As unknownLists, of the lists one level deeper. */
function unknownInStandby(change: Change): readonly IncomingEvent[] {
  if (change.field !== 'standby') return []
  const unknown = listsBeside(fieldsOf(own(change.value, 'standby')), COPIES)
  return unknown === null ? [] : [oddItem(change, { standby: unknown })]
}

function callsIn(change: Change): readonly IncomingEvent[] {
  const items = [...listIn(change, 'calls'), ...listIn(change, 'statuses')]
  return [
    ...items.map((item) =>
      isFields(item) ? otherFrom(item, 'call', change) : oddItem(change, item),
    ),
    ...unknownLists(change, 'calls', 'statuses'),
  ]
}

function othersIn(change: Change): readonly IncomingEvent[] {
  const kind = kindOfField(change.field)
  if (kind === null) return hasOnlyErrors(change) ? [] : [oddItem(change, change.value)]
  const list = listOfField(change.field)
  const items = list === null ? [] : itemsOf(own(change.value, list))
  if (list === null || items.length === 0) return [otherFrom(change.value, kind, change)]
  return [...items.map((item) => otherFrom(item, kind, change)), ...unknownLists(change, list)]
}

/** Lists that nobody told us of, beside those that are read: one event with all of them. */
function unknownLists(change: Change, ...read: readonly string[]): readonly IncomingEvent[] {
  const unknown = listsBeside(change.value, [...read, ...SHARED])
  return unknown === null ? [] : [oddItem(change, unknown)]
}

function errorsIn(change: Change): readonly IncomingEvent[] {
  return listIn(change, 'errors').map((item) => errorFrom(item, change))
}

function hasOnlyErrors({ value }: Change): boolean {
  const hasErrors = itemsOf(own(value, 'errors')).length > 0
  return hasErrors && Object.keys(value).every((name) => SHARED.includes(name))
}

/** A list as it should be; what stands in the place of one is one item, and odd. */
function listIn({ value }: Change, name: string): readonly unknown[] {
  const list = own(value, name)
  if (Array.isArray(list)) return list
  return list === undefined || list === null || list === '' ? [] : [list]
}

function emptyChange(change: Change): IncomingEvent {
  const kind = kindOfField(change.field)
  return kind === null ? oddItem(change, change.raw) : otherFrom(change.value, kind, change)
}
