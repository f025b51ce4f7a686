// Under what an event, and who it is of, is known in the store.
import type { Identity } from '../../model/contact.ts'
import type { IncomingEvent, MessageEvent } from '../../model/event.ts'

/** As numbers are stored. */
const READS_AS_NUMBER = /^\+\d+$/

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

/**
 * The person an identity means. Numbers and ids are looked for in one place: an id that reads as a
 * number would be whoever has that number.
 */
export function personOf(identity: Identity): Identity {
  const { phone, userId } = identity
  if (userId === null || !READS_AS_NUMBER.test(userId)) return identity
  return { ...identity, phone: phone ?? userId, userId: null }
}
