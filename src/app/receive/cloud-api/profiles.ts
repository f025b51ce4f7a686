// What the `contacts` of a change say of the people in it.
import type { Identity } from '../../model/contact.ts'
import { subjectOf, usernameIn } from './identity.ts'
import { type Fields, fieldsOf, firstText, itemsOf, own } from './shape.ts'

type Entry = {
  readonly contact: Fields
  readonly subject: Identity
  /** Read once: a thousand messages may be of one contact. */
  readonly profile: Pick<Identity, 'username' | 'name'>
  readonly place: number
}

/** The contacts of one change. Looking one up does not go through all: there may be a thousand. */
export class Profiles {
  readonly #only: Entry | undefined
  readonly #byUserId = new Map<string, Entry>()
  readonly #byPhone = new Map<string, Entry>()
  readonly #byPhoneAlone = new Map<string, Entry>()

  constructor(contacts: unknown) {
    const entries = itemsOf(contacts).map((given, place): Entry => {
      const contact = fieldsOf(given)
      return { contact, subject: subjectOf(contact), profile: profileOf(contact), place }
    })
    this.#only = entries.length === 1 ? entries[0] : undefined
    for (const entry of entries) {
      const { userId, phone } = entry.subject
      addFirst(this.#byUserId, userId, entry)
      addFirst(this.#byPhone, phone, entry)
      if (userId === null) addFirst(this.#byPhoneAlone, phone, entry)
    }
  }

  /** An identity with what is said of that person. */
  with(identity: Identity, isOnlyPerson: boolean): Identity {
    const entry = this.#entryOf(identity, isOnlyPerson)
    if (entry === undefined) return identity
    const { subject, profile } = entry
    return {
      // The same number can be spelled in two ways here (a ninth digit in Brazil): the sender's own
      // spelling stays.
      phone: identity.phone ?? subject.phone,
      userId: identity.userId ?? subject.userId,
      parentUserId: identity.parentUserId ?? subject.parentUserId,
      ...profile,
    }
  }

  /** The contact of that person, as it was sent; without fields where there is none. */
  contactOf(identity: Identity, isOnlyPerson: boolean): Fields {
    return this.#entryOf(identity, isOnlyPerson)?.contact ?? {}
  }

  #entryOf(identity: Identity, isOnlyPerson: boolean): Entry | undefined {
    const entry = this.#find(identity) ?? (isOnlyPerson ? this.#only : undefined)
    return entry === undefined || isOther(identity, entry.subject) ? undefined : entry
  }

  /** The first contact with the id; where one of the two has none, with the number. */
  #find({ userId, phone }: Identity): Entry | undefined {
    if (userId === null) return phone === null ? undefined : this.#byPhone.get(phone)
    const byUserId = this.#byUserId.get(userId)
    const byPhone = phone === null ? undefined : this.#byPhoneAlone.get(phone)
    if (byUserId === undefined || byPhone === undefined) return byUserId ?? byPhone
    return byUserId.place < byPhone.place ? byUserId : byPhone
  }
}

function profileOf(contact: Fields): Entry['profile'] {
  const profile = fieldsOf(own(contact, 'profile'))
  return {
    username: usernameIn(profile) ?? usernameIn(contact),
    name: firstText(profile, 'name'),
  }
}

function addFirst(entries: Map<string, Entry>, address: string | null, entry: Entry): void {
  if (address !== null && !entries.has(address)) entries.set(address, entry)
}

function isOther(one: Identity, other: Identity): boolean {
  return one.userId !== null && other.userId !== null && one.userId !== other.userId
}
