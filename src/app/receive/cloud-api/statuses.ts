// Statuses of messages that the business sent.

import { addressOf } from '../../model/contact.ts'
import type { IncomingEvent } from '../../model/event.ts'
import type { Change } from './envelope.ts'
import { nullIfNobody, participantOf, statusRecipientOf } from './identity.ts'
import { oddItem } from './odd.ts'
import { fieldsOf, idOf, isFields, keyOf, own } from './shape.ts'
import { momentOf } from './time.ts'

/** The event of one item of `statuses`. */
export function statusFrom(given: unknown, change: Change, isOnlyPerson: boolean): IncomingEvent {
  const item = fieldsOf(given)
  const messageId = idOf(own(item, 'id'))
  const status = idOf(own(item, 'status'))
  if (!isFields(given) || messageId === null || status === null) return oddItem(change, given)
  const inGroup = own(item, 'recipient_type') === 'group'
  const recipient = inGroup ? participantOf(item) : statusRecipientOf(item)
  const { userId, phone } = recipient
  return {
    kind: 'status',
    messageId,
    status,
    participant: inGroup ? (userId ?? phone ?? '') : '',
    contact:
      addressOf(recipient) === null && inGroup
        ? null
        : nullIfNobody(change.profiles.with(recipient, isOnlyPerson)),
    phoneNumberId: change.phoneNumberId,
    data: item,
    ...momentOf(change.receivedAt, own(item, 'timestamp'), change.entryTime),
  }
}

/** A copy for an application that is not in control: it changes no status of ours. */
export function standbyStatus(given: unknown, change: Change): IncomingEvent {
  const event = statusFrom(given, change, false)
  if (event.kind !== 'status') return event
  const { messageId, status, participant, ...others } = event
  const key = keyOf(messageId, status, participant)
  return { ...others, kind: 'handover', type: 'standby:status', key }
}
