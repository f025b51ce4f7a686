// Who is who. A person is one row, found by every address they were seen under; two rows become
// one only when a single payload names addresses of both.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { addressOf, type Identity } from '../../model/contact.ts'
import type { IncomingEvent } from '../../model/event.ts'
import type { Instant } from '../../model/instant.ts'

type Row = {
  id: number
  key: string
  phone: string | null
  user_id: string | null
  parent_user_id: string | null
  username: string | null
  name: string | null
  address_instant: string
  profile_instant: string
}
type Activity = { messages: number; lastInstant: string }

/** The table of contacts, inside the writer's transaction. */
export class ContactBook {
  readonly #findByAddress: StatementSync
  readonly #findById: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #setAddress: StatementSync
  readonly #addActivity: StatementSync
  readonly #absorb: readonly StatementSync[]
  readonly #activity = new Map<number, Activity>()

  constructor(database: DatabaseSync) {
    const columns = `id, key, phone, user_id, parent_user_id, username, name, address_instant,
      profile_instant`
    this.#findByAddress = database.prepare(
      `select ${columns} from contacts
       where id = (select contact from contact_addresses where address = ?)`,
    )
    this.#findById = database.prepare(`select ${columns} from contacts where id = ?`)
    this.#insert = database.prepare(
      `insert into contacts (key, phone, user_id, parent_user_id, username, name,
         address_instant, profile_instant, messages)
       values (?, ?, ?, ?, ?, ?, ?, ?, 0) returning id`,
    )
    this.#update = database.prepare(
      `update contacts set key = ?, phone = ?, user_id = ?, parent_user_id = ?, username = ?,
         name = ?, address_instant = ?, profile_instant = ? where id = ?`,
    )
    // A number stays with whom it was given to since: an older event does not take it back.
    this.#setAddress = database.prepare(
      `insert into contact_addresses (address, contact) values (?, ?)
       on conflict (address) do update set contact = excluded.contact where not exists (
         select 1 from contacts as owner where owner.id = contact_addresses.contact
           and owner.user_id is not null and owner.phone = address and owner.address_instant > ?)`,
    )
    this.#addActivity = database.prepare(
      `update contacts set messages = messages + ?,
         last_instant = max(coalesce(last_instant, ''), ?) where id = ?`,
    )
    this.#absorb = [
      'update messages set contact = :to where contact = :from',
      'update events set contact = :to where contact = :from',
      'update contact_addresses set contact = :to where contact = :from',
      `update contacts set messages = contacts.messages + other.messages,
         last_instant = nullif(max(coalesce(contacts.last_instant, ''), coalesce(other.last_instant, '')), '')
       from (select messages, last_instant from contacts where id = :from) as other
       where contacts.id = :to`,
      'delete from contacts where id = :from and :to <> :from',
    ].map((sql) => database.prepare(sql))
  }

  /** The contact of an event, who becomes one with whom they were before. */
  contactOf({ contact, formerly, instant }: IncomingEvent): number | null {
    if (contact === null) return null
    if (formerly !== undefined) this.#link(formerly, contact, instant)
    return this.#resolve(contact, instant)
  }

  /** The contact an identity means, created or brought up to date; null where it has no address. */
  #resolve(identity: Identity, instant: Instant): number | null {
    const { phone, userId } = identity
    const address = addressOf(identity)
    if (address === null) return null
    const byUser = userId === null ? null : this.#find(userId)
    const byPhone = phone === null ? null : this.#find(phone)
    const known = byUser ?? (byPhone !== null && mayBe(byPhone, identity) ? byPhone : null)
    if (known === null) return this.#create(identity, instant)
    // Whoever was known by this number alone turns out to be the one with this id.
    const isSame = byPhone !== null && byPhone.id !== known.id && byPhone.user_id === null
    const row = isSame ? this.#merge(byPhone.id, known.id) : known
    this.#bringUpToDate(row, identity, instant)
    return known.id
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
    const to = this.#resolve(current, instant)
    if (from === null || to === null || from === to) return
    const isOneAlready = this.#findById.get(from) === undefined
    if (!isOneAlready) this.#merge(from, to)
  }

  #find(address: string): Row | null {
    return (this.#findByAddress.get(address) as Row | undefined) ?? null
  }

  #create(identity: Identity, instant: Instant): number {
    const { phone, userId, parentUserId, username, name } = identity
    const { id } = this.#insert.get(
      userId ?? phone,
      phone,
      userId,
      parentUserId,
      username,
      name,
      instant,
      hasProfile(identity) ? instant : '',
    ) as { id: number }
    this.#setAddresses(id, identity, instant)
    return id
  }

  #setAddresses(contact: number, { phone, userId }: Identity, instant: Instant): void {
    if (userId !== null) this.#setAddress.run(userId, contact, instant)
    if (phone !== null) this.#setAddress.run(phone, contact, instant)
  }

  #bringUpToDate(row: Row, identity: Identity, instant: Instant): void {
    const { phone, userId } = identity
    const isNewAddress =
      (userId !== null && userId !== row.user_id) || (phone !== null && phone !== row.phone)
    if (isNewAddress) this.#setAddresses(row.id, identity, instant)
    const next = updated(row, identity, instant)
    if (next === row) return
    this.#update.run(
      next.key,
      next.phone,
      next.user_id,
      next.parent_user_id,
      next.username,
      next.name,
      next.address_instant,
      next.profile_instant,
      row.id,
    )
  }

  /** Everything of `from` becomes that of `to`, who also takes over a profile that is newer. */
  #merge(from: number, to: number): Row {
    this.flush()
    const { username, name, profile_instant } = this.#findById.get(from) as Row
    for (const statement of this.#absorb) statement.run({ from, to })
    const profile = { phone: null, userId: null, parentUserId: null, username, name }
    this.#bringUpToDate(this.#findById.get(to) as Row, profile, profile_instant as Instant)
    return this.#findById.get(to) as Row
  }
}

/** A number that now belongs to another business-scoped id has been given to somebody else. */
function mayBe(row: Row, { userId }: Identity): boolean {
  return userId === null || row.user_id === null || row.user_id === userId
}

/** The row with what is newer; the row itself where nothing is. */
function updated(row: Row, identity: Identity, instant: Instant): Row {
  const moved = instant >= row.address_instant
  const renamed = hasProfile(identity) && instant >= row.profile_instant
  const user_id = newest(identity.userId, row.user_id, moved)
  const phone = newest(identity.phone, row.phone, moved)
  const next: Row = {
    ...row,
    key: user_id ?? phone ?? row.key,
    phone,
    user_id,
    parent_user_id: newest(identity.parentUserId, row.parent_user_id, moved),
    username: newest(identity.username, row.username, renamed),
    name: newest(identity.name, row.name, renamed),
  }
  const names = Object.keys(row) as (keyof Row)[]
  const isSame = names.every((name) => next[name] === row[name])
  // A later event that says the same moves the time forward, so that one which arrives late can't undo
  // it. Without an id there is nothing to protect: such a person is known by one number only.
  const isConfirmed =
    (renamed && instant > row.profile_instant) ||
    (moved && instant > row.address_instant && user_id !== null && identity.phone !== null)
  if (isSame && !isConfirmed) return row
  return {
    ...next,
    address_instant: moved ? instant : row.address_instant,
    profile_instant: renamed ? instant : row.profile_instant,
  }
}

function newest(given: string | null, known: string | null, isNewer: boolean): string | null {
  return known === null || (isNewer && given !== null) ? given : known
}

function hasProfile({ username, name }: Identity): boolean {
  return username !== null || name !== null
}
