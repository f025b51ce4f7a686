// The people of a simulation: with a phone number, with a business-scoped id, or with both.
import { hash } from 'node:crypto'
import { NAMES } from '../made-up.ts'
import { pick, type Random } from '../random.ts'

export type Person = {
  /** Digits; null for somebody who only has an id. */
  readonly phone: string | null
  readonly userId: string | null
  readonly name: string
  readonly username: string | null
}

export const BUSINESS = { display_phone_number: '14155550101', phone_number_id: '106540352242922' }

/** Begun as a British mobile number and three digits too long: no such number is ever given. */
const PREFIX = '4477009'
const COUNT = 60
const RUNS = 1_000_000

/** The people of a run; `noPhone` is the share, 0 to 1, that hides the phone number. */
export function peopleOf(run: string, random: Random, noPhone: number): readonly Person[] {
  const prefix = `${PREFIX}${numberOf(run)}`
  return Array.from({ length: COUNT }, (_, i) => {
    const phone = random() < noPhone ? null : `${prefix}${String(i).padStart(2, '0')}`
    const userId = phone === null || random() < 0.5 ? `GB.${run}${i}` : null
    const username = userId !== null && random() < 0.5 ? `person${i}` : null
    return { phone, userId, name: pick(NAMES, random), username }
  })
}

/** Six digits: with a number of another run, somebody would be that run's person to the service. */
function numberOf(run: string): string {
  const number = hash('sha256', run, 'buffer').readUInt32BE(0) % RUNS
  return String(number).padStart(6, '0')
}

/** As the service should show them. */
export function expectedAddressOf({ phone, userId }: Person): string {
  return phone === null ? (userId ?? '') : `+${phone}`
}

/** What the service should know them by. */
export function expectedKeyOf(person: Person): string {
  return person.userId ?? expectedAddressOf(person)
}

/** The fields of a message that say who sent it. */
export function senderFields({ phone, userId }: Person): object {
  return {
    ...(phone === null ? {} : { from: phone }),
    ...(userId === null ? {} : { from_user_id: userId }),
  }
}

/** The entry in `contacts` beside a message. */
export function contactEntry({ phone, userId, name, username }: Person): object {
  return {
    profile: { name, ...(username === null ? {} : { username }) },
    ...(phone === null ? {} : { wa_id: phone }),
    ...(userId === null ? {} : { user_id: userId }),
  }
}
