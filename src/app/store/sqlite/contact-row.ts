// What is known of a person, each part with the moment it was last said: whichever order things are
// said in, the last one to be true counts.
import type { Identity } from '../../model/contact.ts'

/** A person as stored. Each of the moments is of one part. */
export type ContactRow = {
  readonly id: number
  readonly key: string
  readonly phone: string | null
  readonly user_id: string | null
  readonly parent_user_id: string | null
  readonly username: string | null
  readonly name: string | null
  /** Of the number. */
  readonly address_instant: string
  /** Null: stored before it was kept, and as old as the number. */
  readonly user_instant: string | null
  /** Of the name. */
  readonly profile_instant: string
  /** Null: as old as the name. */
  readonly username_instant: string | null
}

/** What one says, and when; '' where nobody has said anything yet. */
type Part = { readonly value: string | null; readonly instant: string }
type Parts = {
  readonly phone: Part
  readonly userId: Part
  readonly username: Part
  readonly name: Part
  readonly parentUserId: string | null
}

/** A person nobody knew of; its id is given by the store. */
export function newRow(identity: Identity, instant: string): ContactRow {
  const key = identity.userId ?? identity.phone ?? ''
  return rowOf({ id: 0, key }, saidBy(identity, instant))
}

/** The row with what an event says that is newer; the row itself where nothing is. */
export function updated(row: ContactRow, identity: Identity, instant: string): ContactRow {
  return latestOf(row, saidBy(identity, instant))
}

/** The same where an event says who somebody has become: without an id, that is not known any more. */
export function changed(row: ContactRow, identity: Identity, instant: string): ContactRow {
  const said = saidBy(identity, instant)
  return latestOf(row, { ...said, userId: { value: identity.userId, instant } })
}

/** One row for two of one person; the row itself where the other one knows nothing newer. */
export function joined(row: ContactRow, other: ContactRow): ContactRow {
  return latestOf(row, partsOf(other))
}

function saidBy({ phone, userId, parentUserId, username, name }: Identity, instant: string): Parts {
  const part = (value: string | null) => ({ value, instant: value === null ? '' : instant })
  return {
    ...{ phone: part(phone), userId: part(userId), parentUserId },
    ...{ username: part(username), name: part(name) },
  }
}

function partsOf(row: ContactRow): Parts {
  const part = (value: string | null, instant: string) => ({
    value,
    instant: value === null ? '' : instant,
  })
  return {
    phone: part(row.phone, row.address_instant),
    userId:
      row.user_instant === null
        ? part(row.user_id, row.address_instant)
        : { value: row.user_id, instant: row.user_instant },
    parentUserId: row.parent_user_id,
    username: part(row.username, row.username_instant ?? row.profile_instant),
    name: part(row.name, row.profile_instant),
  }
}

function latestOf(row: ContactRow, said: Parts): ContactRow {
  const known = partsOf(row)
  const userId = newer(known.userId, said.userId)
  const next: Parts = {
    userId,
    phone: newerPhone(known.phone, said.phone, userId),
    parentUserId:
      known.parentUserId === null || (userId === said.userId && said.parentUserId !== null)
        ? said.parentUserId
        : known.parentUserId,
    username: newer(known.username, said.username),
    name: newer(known.name, said.name),
  }
  const names = Object.keys(known) as (keyof Parts)[]
  return names.every((name) => next[name] === known[name]) ? row : rowOf(row, next)
}

/** What is known already where it is the same: whoever compares sees that nothing changed. */
function newer(known: Part, said: Part): Part {
  if (said.instant === '' || said.instant < known.instant) return known
  return said.instant === known.instant && said.value === known.value ? known : said
}

/**
 * Who never had an id has one number, and nothing is to be protected by moving its time forward:
 * nothing is written for each of their messages.
 */
function newerPhone(known: Part, said: Part, userId: Part): Part {
  if (userId.instant === '' && said.value === known.value) return known
  return newer(known, said)
}

function rowOf({ id, key }: Pick<ContactRow, 'id' | 'key'>, parts: Parts): ContactRow {
  const { phone, userId, parentUserId, username, name } = parts
  return {
    id,
    key: userId.value ?? phone.value ?? key,
    phone: phone.value,
    user_id: userId.value,
    parent_user_id: parentUserId,
    username: username.value,
    name: name.value,
    address_instant: phone.instant,
    user_instant: userId.instant,
    profile_instant: name.instant,
    username_instant: username.instant,
  }
}
