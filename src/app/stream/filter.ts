// Which entries of the sequence a follower asked for.
import type { Contact, KnownAs } from '../model/contact.ts'
import type { EventFilter, SequenceEntry } from '../model/event.ts'

/** The place of an entry in the sequence. */
export function seqOf(entry: SequenceEntry): number {
  return entry.kind === 'message' ? entry.message.seq : entry.event.seq
}

/** Equal for filters that let the same entries through. */
export function filterKeyOf({ kinds, contact, phoneNumberId, messageId }: EventFilter): string {
  const others = [contact, phoneNumberId, messageId].map((value) => value ?? null)
  return JSON.stringify([kinds?.toSorted() ?? null, ...others])
}

/** The person an entry is about; null where it names none. */
export function personIn(entry: SequenceEntry): Contact | null {
  return entry.kind === 'message' ? entry.message.contact : entry.event.contact
}

/** Addresses that people were seen under, by the key of each. */
export type Addresses = ReadonlyMap<string, readonly KnownAs[]>

/** Whether an entry is of this filter. */
export function matches(
  { kinds, contact, phoneNumberId, messageId }: EventFilter,
  entry: SequenceEntry,
  addresses: Addresses,
): boolean {
  const subject = entry.kind === 'message' ? entry.message : entry.event
  const kind = entry.kind === 'message' ? 'message' : entry.event.kind
  if (kinds !== undefined && !kinds.includes(kind)) return false
  if (phoneNumberId !== undefined && subject.phoneNumberId !== phoneNumberId) return false
  if (messageId !== undefined && !isAbout(messageId, entry)) return false
  if (contact === undefined) return true
  const person = personIn(entry)
  if (person === null) return false
  const known = addresses.get(person.key) ?? []
  return (
    known.some(({ address }) => address === contact) ||
    person.username === contact.replace(/^@/, '')
  )
}

/** Whether an entry is a message, happened to it or is a reaction to it. */
function isAbout(messageId: string, entry: SequenceEntry): boolean {
  if (entry.kind === 'event') return entry.event.messageId === messageId
  const { message } = entry
  return message.messageId === messageId || message.content?.reaction?.message_id === messageId
}
