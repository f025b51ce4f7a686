// Which entries of the sequence a follower asked for.
import type { EventFilter, SequenceEntry } from '../model/event.ts'

/** The place of an entry in the sequence. */
export function seqOf(entry: SequenceEntry): number {
  return entry.kind === 'message' ? entry.message.seq : entry.event.seq
}

/** Equal for filters that let the same entries through. */
export function keyOf({ kinds, contact, phoneNumberId }: EventFilter): string {
  return JSON.stringify([kinds?.toSorted() ?? null, contact ?? null, phoneNumberId ?? null])
}

/** Whether an entry is of this filter. */
export function matches(filter: EventFilter, entry: SequenceEntry): boolean {
  const subject = entry.kind === 'message' ? entry.message : entry.event
  const kind = entry.kind === 'message' ? 'message' : entry.event.kind
  if (filter.kinds !== undefined && !filter.kinds.includes(kind)) return false
  const { phoneNumberId, contact } = filter
  if (phoneNumberId !== undefined && subject.phoneNumberId !== phoneNumberId) return false
  if (contact === undefined) return true
  const { contact: person } = subject
  if (person === null) return false
  const username = contact.replace(/^@/, '')
  return [person.key, person.phone, person.userId].includes(contact) || person.username === username
}
