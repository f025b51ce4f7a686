// The rows of people and of the addresses they were seen under, as contact-book.ts asks for them.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ContactRow } from './contact-row.ts'

const COLUMNS = `id, key, phone, user_id, parent_user_id, username, name, address_instant,
  user_instant, profile_instant, username_instant`

const FIND_BY_ID = `select ${COLUMNS} from contacts where id = ?`

const FIND_BY_ADDRESS = `select ${COLUMNS} from contacts
  where id = (select contact from contact_addresses where address = ?)`

const INSERT = `
  insert into contacts (key, phone, user_id, parent_user_id, username, name,
    address_instant, user_instant, profile_instant, username_instant, messages)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) returning id`

const UPDATE = `
  update contacts set key = ?, phone = ?, user_id = ?, parent_user_id = ?, username = ?,
    name = ?, address_instant = ?, user_instant = ?, profile_instant = ?, username_instant = ?
  where id = ?`

/** A number stays with whom it was given to since: an older event does not take it back. */
const SET_ADDRESS = `
  insert into contact_addresses (address, contact) values (:address, :contact)
  on conflict (address) do update set contact = excluded.contact,
    held_until = case contact when excluded.contact then held_until end
  where not exists (
    select 1 from contacts as owner where owner.id = contact_addresses.contact
      and owner.user_id is not null and owner.phone = address
      and owner.address_instant > :instant)`

const HOLD = 'update contact_addresses set held_until = ? where address = ? and contact = ?'

const RELEASE =
  'update contact_addresses set held_until = null where address = ? and held_until is not null'

const IS_HELD = 'select 1 from contact_addresses where address = ? and held_until > ?'

const ADD_MESSAGES = `
  update contacts set messages = messages + ?,
    last_instant = max(coalesce(last_instant, ''), ?) where id = ?`

const ABSORB = [
  'update messages set contact = :to where contact = :from',
  'update events set contact = :to where contact = :from and contact > 0',
  'update contact_addresses set contact = :to where contact = :from',
  `update contacts set messages = contacts.messages + other.messages,
     last_instant = nullif(max(coalesce(contacts.last_instant, ''), coalesce(other.last_instant, '')), '')
   from (select messages, last_instant from contacts where id = :from) as other
   where contacts.id = :to`,
  'delete from contacts where id = :from and :to <> :from',
]

const SIZE_UP_TO = `
  select count(*) as size from (
    select 1 from messages where contact = :contact
    union all select 1 from events where contact = :contact and contact > 0
    union all select 1 from contact_addresses where contact = :contact limit :most)`

/** Messages that were counted for a person, and the latest moment of any. */
export type NewMessages = { messages: number; lastInstant: string }

/** The tables of contacts and of their addresses, inside the writer's transaction. */
export class ContactTable {
  readonly #findById: StatementSync
  readonly #findByAddress: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #setAddress: StatementSync
  readonly #hold: StatementSync
  readonly #release: StatementSync
  readonly #isHeld: StatementSync
  readonly #addMessages: StatementSync
  readonly #absorb: readonly StatementSync[]
  readonly #sizeUpTo: StatementSync

  constructor(database: DatabaseSync) {
    this.#findById = database.prepare(FIND_BY_ID)
    this.#findByAddress = database.prepare(FIND_BY_ADDRESS)
    this.#insert = database.prepare(INSERT)
    this.#update = database.prepare(UPDATE)
    this.#setAddress = database.prepare(SET_ADDRESS)
    this.#hold = database.prepare(HOLD)
    this.#release = database.prepare(RELEASE)
    this.#isHeld = database.prepare(IS_HELD)
    this.#addMessages = database.prepare(ADD_MESSAGES)
    this.#absorb = ABSORB.map((sql) => database.prepare(sql))
    this.#sizeUpTo = database.prepare(SIZE_UP_TO)
  }

  find(id: number): ContactRow | undefined {
    return this.#findById.get(id) as ContactRow | undefined
  }

  /** Who was seen under an address last. */
  findByAddress(address: string): ContactRow | null {
    return (this.#findByAddress.get(address) as ContactRow | undefined) ?? null
  }

  /** Stores somebody new; returns their id. */
  insert(row: ContactRow): number {
    return (this.#insert.get(...valuesOf(row)) as { id: number }).id
  }

  /** Stores `row` in the place of the one with this id. */
  update(id: number, row: ContactRow): void {
    this.#update.run(...valuesOf(row), id)
  }

  /** Says whose an address is since this moment. */
  setAddress(address: string, contact: number, instant: string): void {
    this.#setAddress.run({ address, contact, instant })
  }

  /** To events from before this moment an address is `contact`'s, also where it has another owner since. */
  hold(address: string | null, contact: number, until: string): void {
    this.#hold.run(until, address, contact)
  }

  /** An address is of nobody any more but its owner. */
  release(address: string): void {
    this.#release.run(address)
  }

  isHeld(address: string | null, instant: string): boolean {
    return this.#isHeld.get(address, instant) !== undefined
  }

  addMessages(contact: number, { messages, lastInstant }: NewMessages): void {
    this.#addMessages.run(messages, lastInstant, contact)
  }

  /** Gives `to` all that `from` has, and removes `from`. */
  absorb(from: number, to: number): void {
    for (const statement of this.#absorb) statement.run({ from, to })
  }

  /** How many rows are of somebody, counted up to `most`. */
  sizeUpTo(contact: number, most: number): number {
    return (this.#sizeUpTo.get({ contact, most }) as { size: number }).size
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
