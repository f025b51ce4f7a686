// Who is who. A person is one row, found by every address they were seen under; two rows become
// one only when a single payload names addresses of both.
import type { DatabaseSync } from 'node:sqlite'
import { addressOf, type Identity } from '../../model/contact.ts'
import type { IncomingEvent } from '../../model/event.ts'
import type { Instant } from '../../model/instant.ts'
import { personOf } from '../sql/identity.ts'
import { type ContactRow, changed, joined, newRow, updated } from './contact-row.ts'
import { ContactTable, type NewMessages } from './contact-table.ts'

/** Who an event is of, inside the writer's transaction. */
export class ContactBook {
  readonly #table: ContactTable
  /** Counted since the last flush. */
  readonly #newMessages = new Map<number, NewMessages>()

  constructor(database: DatabaseSync) {
    this.#table = new ContactTable(database)
  }

  /** The contact of an event, who becomes one with whom they were before. */
  contactOf({ contact, formerly, instant }: IncomingEvent): number | null {
    if (contact === null) return null
    const person = personOf(contact)
    if (formerly !== undefined) this.#link(personOf(formerly), person, instant)
    return this.#resolve(person, instant)
  }

  /** The contact an identity means, created or brought up to date; null where it has no address. */
  #resolve(identity: Identity, instant: Instant): number | null {
    const { phone, userId } = identity
    const address = addressOf(identity)
    if (address === null) return null
    const byUser = userId === null ? null : this.#table.findByAddress(userId)
    const byPhone = phone === null ? null : this.#table.findByAddress(phone)
    const known =
      byUser ?? (byPhone !== null && this.#mayBe(byPhone, identity, instant) ? byPhone : null)
    if (known === null) return this.#create(identity, instant)
    // Whoever was known by this number alone turns out to be the one with this id.
    const isSame =
      byPhone !== null && byPhone.id !== known.id && this.#hasNoOther(byPhone, identity, instant)
    const row = isSame ? this.#merge(byPhone.id, known.id) : known
    this.#bringUpToDate(row, identity, instant)
    return row.id
  }

  /** Counts a new message; written by `flush`. */
  count(contact: number, instant: Instant): void {
    const counted = this.#newMessages.get(contact)
    if (counted === undefined) {
      this.#newMessages.set(contact, { messages: 1, lastInstant: instant })
      return
    }
    counted.messages++
    if (instant > counted.lastInstant) counted.lastInstant = instant
  }

  /** Writes what was counted since the last time. */
  flush(): void {
    for (const [contact, counted] of this.#newMessages) this.#table.addMessages(contact, counted)
    this.#newMessages.clear()
  }

  /** Forgets what was counted in a transaction that was rolled back. */
  reset(): void {
    this.#newMessages.clear()
  }

  /**
   * One payload says that `former` is the same person as `current` now. Who they were comes first:
   * an address that both have is still the former's.
   */
  #link(former: Identity, current: Identity, instant: Instant): void {
    const from = this.#resolve(former, instant)
    const before = from === null ? undefined : this.#table.find(from)
    const to = this.#resolve(current, instant)
    if (before === undefined || to === null) return
    const isTwo = before.id !== to && this.#table.find(before.id) !== undefined
    const row = isTwo ? this.#merge(before.id, to) : (this.#table.find(to) as ContactRow)
    const isUnnamed = isTwo && before.user_id === null && former.phone !== current.phone
    if (isUnnamed) this.#table.hold(former.phone, row.id, instant)
    this.#write(row, changed(row, current, instant))
  }

  #create(identity: Identity, instant: Instant): number {
    const id = this.#table.insert(newRow(identity, instant))
    this.#setAddresses(id, identity, instant)
    return id
  }

  #setAddresses(contact: number, { phone, userId }: Identity, instant: Instant): void {
    for (const address of [userId, phone]) {
      if (address !== null) this.#table.setAddress(address, contact, instant)
    }
    if (userId !== null && phone !== null) this.#table.release(phone)
  }

  #bringUpToDate(row: ContactRow, identity: Identity, instant: Instant): void {
    const { phone, userId } = identity
    const isNewAddress =
      (userId !== null && userId !== row.user_id) || (phone !== null && phone !== row.phone)
    if (isNewAddress) this.#setAddresses(row.id, identity, instant)
    this.#write(row, updated(row, identity, instant))
  }

  #write(row: ContactRow, next: ContactRow): void {
    if (next !== row) this.#table.update(row.id, this.#withOwnKey(next, row.key))
  }

  /** Under a number that is somebody else's by now they would not be found, and keep the key they had. */
  #withOwnKey(row: ContactRow, before: string): ContactRow {
    if (row.user_id !== null || row.key === before) return row
    return this.#table.findByAddress(row.key)?.id === row.id ? row : { ...row, key: before }
  }

  /**
   * Two become one row, with everything of both, and of each thing known of both the newer one; where
   * neither is newer, what is known of `from`. What has less is what moves: who changes their number
   * again and again has had more each time.
   */
  #merge(from: number, to: number): ContactRow {
    this.flush()
    const former = this.#table.find(from) as ContactRow
    const known = this.#table.find(to) as ContactRow
    const [goes, stays] = this.#hasMore(from, to) ? [known, former] : [former, known]
    this.#table.absorb(goes.id, stays.id)
    const next = joined(known, former)
    const row = stays === known ? next : { ...next, id: stays.id }
    this.#write(stays, row)
    return row
  }

  /** Whether more is stored of one than of the other. It takes as long as there is of the one with less. */
  #hasMore(one: number, other: number): boolean {
    for (let most = 64; ; most *= 4) {
      const ofOne = this.#table.sizeUpTo(one, most)
      const ofOther = this.#table.sizeUpTo(other, most)
      if (ofOne < most || ofOther < most) return ofOne > ofOther
    }
  }

  /** A number that now belongs to another business-scoped id has been given to somebody else. */
  #mayBe(row: ContactRow, identity: Identity, instant: Instant): boolean {
    const { userId } = identity
    return userId === null || row.user_id === userId || this.#hasNoOther(row, identity, instant)
  }

  /** Whether whoever had this number at that time was known by no id: then they are this person. */
  #hasNoOther(row: ContactRow, { phone }: Identity, instant: Instant): boolean {
    return row.user_id === null || this.#table.isHeld(phone, instant)
  }
}
