// What the phone app sent and received before the business was connected.
import { addressOf } from '../../model/contact.ts'
import type { IncomingEvent } from '../../model/event.ts'
import { type Change, listIn } from './envelope.ts'
import { phoneFrom, subjectOf } from './identity.ts'
import { messageFrom } from './messages.ts'
import { oddItem } from './odd.ts'
import { historyChunk } from './others.ts'
import { type Fields, fieldsOf, idOf, isFields, itemsOf, own, partsBeside } from './shape.ts'
import { momentOf } from './time.ts'

/** The events of a change of the field `history`. */
export function historyIn(change: Change): readonly IncomingEvent[] {
  return [
    ...listIn(change, 'history').flatMap((chunk) => chunkIn(chunk, change)),
    ...listIn(change, 'messages').flatMap((item) => historyMessage(item, {}, change)),
  ]
}

function chunkIn(given: unknown, change: Change): readonly IncomingEvent[] {
  if (!isFields(given) && change.rules >= 3) return [oddItem(change, given)]
  const chunk = fieldsOf(given)
  return [
    historyChunk(chunk, change),
    ...itemsOf(own(chunk, 'threads')).flatMap((thread) => threadIn(thread, change)),
    ...itemsOf(own(chunk, 'messages')).flatMap((item) => historyMessage(item, {}, change)),
  ]
}

function threadIn(given: unknown, change: Change): readonly IncomingEvent[] {
  const { messages: list, ...thread } = fieldsOf(given)
  const messages = itemsOf(list)
  if (messages.length === 0) return [oddItem(change, given)]
  const known = isFields(own(thread, 'context')) ? ['context'] : []
  const hasMore = partsBeside(thread, known, change.rules).length > 0
  return [
    ...messages.flatMap((item) => historyMessage(item, thread, change)),
    ...(hasMore ? [oddItem(change, thread)] : []),
  ]
}

/**
 * A message of one thread of a history, and its status where the business sent it, which its sender
 * tells.
 */
function historyMessage(item: unknown, thread: Fields, change: Change): readonly IncomingEvent[] {
  const from = phoneFrom(own(fieldsOf(item), 'from'))
  const named = subjectOf(fieldsOf(own(thread, 'context')))
  const person = { ...named, phone: phoneFrom(own(thread, 'id')) ?? named.phone }
  const isOutbound =
    from !== null && (from === change.business || (person.phone !== null && from !== person.phone))
  const event = messageFrom(item, {
    change,
    namespace: '',
    direction: isOutbound ? 'outbound' : 'inbound',
    isOnlyPerson: false,
    ...(addressOf(person) === null ? {} : { thread: person }),
  })
  const isSent = event.kind === 'message' && isOutbound
  return isSent ? [event, ...statusOf(event.messageId, item, change)] : [event]
}

/**
 * The status of a message as the history has it, in the words that other statuses have. The history does
 * not say when that was, so the status is dated now: another one that has a time is earlier, and counts.
 * Whom it is about is left to the message.
 */
function statusOf(messageId: string, item: unknown, change: Change): readonly IncomingEvent[] {
  const data = own(fieldsOf(item), 'history_context')
  const word = idOf(own(fieldsOf(data), 'status'))?.toLowerCase()
  if (word === undefined) return []
  return [
    {
      kind: 'status',
      messageId,
      status: word === 'error' ? 'failed' : word,
      participant: '',
      contact: null,
      phoneNumberId: change.phoneNumberId,
      data,
      ...momentOf(change.receivedAt, change.entryTime),
    },
  ]
}
