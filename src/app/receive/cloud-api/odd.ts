// What no rule of ours describes: kept as it is, once.
import type { OtherEvent } from '../../model/event.ts'
import type { Change } from './envelope.ts'
import { digestKeyOf } from './shape.ts'
import { momentOf } from './time.ts'

/** An item of a change that is not as such items are. */
export function oddItem(change: Change, item: unknown): OtherEvent {
  const { field, entryId, entryTime, phoneNumberId, receivedAt } = change
  return {
    kind: 'unknown',
    type: field === '' ? 'change' : field,
    key: digestKeyOf(field, entryId, entryTime ?? null, phoneNumberId, item),
    data: item,
    contact: null,
    phoneNumberId,
    ...momentOf(receivedAt, entryTime),
  }
}

/** A part of a body that has not even the frame of a change. */
export function oddPart(type: string, item: unknown, receivedAt: number): OtherEvent {
  return {
    kind: 'unknown',
    type,
    key: digestKeyOf(type, item ?? null),
    data: item ?? null,
    contact: null,
    phoneNumberId: null,
    ...momentOf(receivedAt),
  }
}
