// Under what an event is known in the store.
import type { IncomingEvent, MessageEvent } from '../../model/event.ts'

export type OtherThanMessage = Exclude<IncomingEvent, MessageEvent>

/** Of a status, the status; else the provider's word for what it is. */
export function typeOf(event: OtherThanMessage): string {
  if (event.kind === 'status') return event.status
  return 'type' in event ? event.type : event.kind
}

/** What makes an event unique among its kind; null where two that look the same are two. */
export function identityOf(event: OtherThanMessage): string | null {
  if (event.kind !== 'status') return event.key
  return JSON.stringify([event.messageId, event.status, event.participant])
}

/** The message an event happened to; null where it names none. */
export function messageOf(event: OtherThanMessage): string | null {
  return event.messageId ?? null
}
