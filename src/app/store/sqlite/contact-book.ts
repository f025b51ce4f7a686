// Who is who. A person is one row, found by every address they were seen under; two rows become
// one only when a single payload names addresses of both.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { addressOf, type Identity } from '../../model/contact.ts'
import type { IncomingEvent } from '../../model/event.ts'
import type { Instant } from '../../model/instant.ts'
import { personOf } from '../sql/identity.ts'
import { type ContactRow, changed, joined, newRow, updated } from './contact-row.ts'

type NewMessages = { messages: number; lastInstant: string }

/** The table of contacts, inside the writer's transaction. */
export class ContactBook {
  readonly #findByAddress: StatementSync
  readonly #findById: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #setAddress: StatementSync
  readonly #hold: StatementSync
  readonly #release: StatementSync
  readonly #isHeld: StatementSync
  readonly #addActivity: StatementSync
  readonly #absorb: readonly StatementSync[]
  readonly #sizeUpTo: StatementSync
  readonly #activity = new Map<number, NewMessages>()

  constructor(database: DatabaseSync) {
    const columns = `id, key, phone, user_id, parent_user_id, username, name, address_instant,
      user_instant, profile_instant, username_instant`
    this.#findByAddress = database.prepare(
      `select ${columns} from contacts
       where id = (select contact from contact_addresses where address = ?)`,
    )
    this.#findById = database.prepare(`select ${columns} from contacts where id = ?`)
    this.#insert = database.prepare(
      `insert into contacts (key, phone, user_id, parent_user_id, username, name,
         address_instant, user_instant, profile_instant, username_instant, messages)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) returning id`,
    )
    this.#update = database.prepare(
      `update contacts set key = ?, phone = ?, user_id = ?, parent_user_id = ?, username = ?,
         name = ?, address_instant = ?, user_instant = ?, profile_instant = ?, username_instant = ?
       where id = ?`,
    )
    // A number stays with whom it was given to since: an older event does not take it back.
    this.#setAddress = database.prepare(
      `insert into contact_addresses (address, contact) values (:address, :contact)
       on conflict (address) do update set contact = excluded.contact,
         held_until = case contact when excluded.contact then held_until end
       where not exists (
         select 1 from contacts as owner where owner.id = contact_addresses.contact
           and owner.user_id is not null and owner.phone = address
           and owner.address_instant > :instant)`,
    )
    this.#hold = database.prepare(
      'update contact_addresses set held_until = ? where address = ? and contact = ?',
    )
    this.#release = database.prepare(
      'update contact_addresses set held_until = null where address = ? and held_until is not null',
    )
    this.#isHeld = database.prepare(
      'select 1 from contact_addresses where address = ? and held_until > ?',
    )
    this.#addActivity = database.prepare(
      `update contacts set messages = messages + ?,
         last_instant = max(coalesce(last_instant, ''), ?) where id = ?`,
    )
    this.#absorb = [
      'update messages set contact = :to where contact = :from',
      'update events set contact = :to where contact = :from and contact > 0',
      'update contact_addresses set contact = :to where contact = :from',
      `update contacts set messages = contacts.messages + other.messages,
         last_instant = nullif(max(coalesce(contacts.last_instant, ''), coalesce(other.last_instant, '')), '')
       from (select messages, last_instant from contacts where id = :from) as other
       where contacts.id = :to`,
      'delete from contacts where id = :from and :to <> :from',
    ].map((sql) => database.prepare(sql))
    this.#sizeUpTo = database.prepare(
      `select count(*) as size from (
         select 1 from messages where contact = :contact
         union all select 1 from events where contact = :contact and contact > 0
         union all select 1 from contact_addresses where contact = :contact limit :most)`,
    )
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
    const byUser = userId === null ? null : this.#find(userId)
    const byPhone = phone === null ? null : this.#find(phone)
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
    const activity = this.#activity.get(contact)
    if (activity === undefined) {
      this.#activity.set(contact, { messages: 1, lastInstant: instant })
      return
    }
    activity.messages++
    if (instant > activity.lastInstant) activity.lastInstant = instant
  }

  /** Writes what was counted since the last time. */
  flush(): void {
    for (const [contact, { messages, lastInstant }] of this.#activity) {
      this.#addActivity.run(messages, lastInstant, contact)
    }
    this.#activity.clear()
  }

  /** Forgets what was counted in a transaction that was rolled back. */
  reset(): void {
    this.#activity.clear()
  }

  /**
   * One payload says that `former` is the same person as `current` now. Who they were comes first:
   * an address that both have is still the former's.
   */
  #link(former: Identity, current: Identity, instant: Instant): void {
    const from = this.#resolve(former, instant)
    const before = from === null ? undefined : this.#rowOf(from)
    const to = this.#resolve(current, instant)
    if (before === undefined || to === null) return
    const isTwo = before.id !== to && this.#rowOf(before.id) !== undefined
    const row = isTwo ? this.#merge(before.id, to) : (this.#rowOf(to) as ContactRow)
    const isUnnamed = isTwo && before.user_id === null && former.phone !== current.phone
    if (isUnnamed) this.#hold.run(instant, former.phone, row.id)
    this.#write(row, changed(row, current, instant))
  }

  #rowOf(contact: number): ContactRow | undefined {
    return this.#findById.get(contact) as ContactRow | undefined
  }

  #find(address: string): ContactRow | null {
    return (this.#findByAddress.get(address) as ContactRow | undefined) ?? null
  }

  #create(identity: Identity, instant: Instant): number {
    const row = newRow(identity, instant)
    const { id } = this.#insert.get(...valuesOf(row)) as { id: number }
    this.#setAddresses(id, identity, instant)
    return id
  }

  #setAddresses(contact: number, { phone, userId }: Identity, instant: Instant): void {
    for (const address of [userId, phone]) {
      if (address !== null) this.#setAddress.run({ address, contact, instant })
    }
    if (userId !== null && phone !== null) this.#release.run(phone)
  }

  #bringUpToDate(row: ContactRow, identity: Identity, instant: Instant): void {
    const { phone, userId } = identity
    const isNewAddress =
      (userId !== null && userId !== row.user_id) || (phone !== null && phone !== row.phone)
    if (isNewAddress) this.#setAddresses(row.id, identity, instant)
    this.#write(row, updated(row, identity, instant))
  }

  #write(row: ContactRow, next: ContactRow): void {
    if (next !== row) this.#update.run(...valuesOf(this.#withOwnKey(next, row.key)), row.id)
  }

  /** Under a number that is somebody else's by now they would not be found, and keep the key they had. */
  #withOwnKey(row: ContactRow, before: string): ContactRow {
    if (row.user_id !== null || row.key === before) return row
    return this.#find(row.key)?.id === row.id ? row : { ...row, key: before }
  }

  /**
   * Two become one row, with everything of both, and of each thing known of both the newer one; where
   * neither is newer, what is known of `to`. What has less is what moves: who changes their number
   * again and again has had more each time.
   */
  #merge(from: number, to: number): ContactRow {
    this.flush()
    const [former, known] = [this.#rowOf(from) as ContactRow, this.#rowOf(to) as ContactRow]
    const [goes, stays] = this.#hasMore(from, to) ? [known, former] : [former, known]
    for (const statement of this.#absorb) statement.run({ from: goes.id, to: stays.id })
    const next = joined(known, former)
    const row = stays === known ? next : { ...next, id: stays.id }
    this.#write(stays, row)
    return row
  }

  /** Whether more is stored of one than of the other. It takes as long as there is of the one with less. */
  #hasMore(one: number, other: number): boolean {
    const size = (contact: number, most: number) =>
      (this.#sizeUpTo.get({ contact, most }) as { size: number }).size
    for (let most = 64; ; most *= 4) {
      const [ofOne, ofOther] = [size(one, most), size(other, most)]
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
    return row.user_id === null || this.#isHeld.get(phone, instant) !== undefined
  }
}

function valuesOf(row: ContactRow) {
  return [
    row.key,
    row.phone,
    row.user_id,
    row.parent_user_id,
    row.username,
    row.name,
    row.address_instant,
    row.user_instant,
    row.profile_instant,
    row.username_instant,
  ] as const
}
