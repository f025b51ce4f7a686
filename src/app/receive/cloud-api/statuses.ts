// Statuses of messages that the business sent.
import { addressOf, type Identity } from '../../model/contact.ts'
import type { IncomingEvent } from '../../model/event.ts'
import type { Change } from './envelope.ts'
import { nullIfNobody, participantOf, recipientOfStatus } from './identity.ts'
import { oddItem } from './odd.ts'
import { type Fields, fieldsOf, firstText, idOf, isFields, keyOf, own } from './shape.ts'
import { momentOf } from './time.ts'

/** The event of one item of `statuses`. */
export function statusFrom(given: unknown, change: Change, isOnlyPerson: boolean): IncomingEvent {
  const item = fieldsOf(given)
  const messageId = idOf(own(item, 'id'))
  const status = idOf(own(item, 'status'))
  if (!isFields(given) || messageId === null || status === null) return oddItem(change, given)
  const inGroup = isInGroup(item, change)
  const recipient = statusRecipientOf(item, change)
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

/** Whom a status is about: of a group, one of its participants. */
export function statusRecipientOf(item: Fields, change: Change): Identity {
  return isInGroup(item, change) ? participantOf(item) : recipientOfStatus(item)
}

/** Some leave out that it is a group, and name the participant. By the first rules that was passed over. */
function isInGroup(item: Fields, { rules }: Change): boolean {
  const recipientType = firstText(item, 'recipient_type')
  if (recipientType !== null || rules < 2) return recipientType === 'group'
  return addressOf(participantOf(item)) !== null
}

/** A copy for an application that is not in control: it changes no status of ours. */
export function standbyStatus(given: unknown, change: Change): IncomingEvent {
  const event = statusFrom(given, change, false)
  if (event.kind !== 'status') return event
  const { messageId, status, participant, ...others } = event
  const key = keyOf(messageId, status, participant)
  return { ...others, kind: 'handover', type: 'standby:status', key }
}
