import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Identity } from '../../../src/app/model/contact.ts'
import { subjectOf } from '../../../src/app/receive/cloud-api/identity.ts'
import { Profiles } from '../../../src/app/receive/cloud-api/profiles.ts'
import { fieldsOf, own } from '../../../src/app/receive/cloud-api/shape.ts'

type Fields = Readonly<Record<string, unknown>>

const anId = fc.option(fc.constantFrom('US.1', 'US.2', 'US.3'))
const aNumber = fc.option(fc.constantFrom('1', '2', '3'))
const aContact = fc.record({ user_id: anId, wa_id: aNumber }, { requiredKeys: [] })
const anIdentity = fc.record({
  userId: anId,
  phone: aNumber.map((digits) => (digits === null ? null : `+${digits}`)),
  parentUserId: fc.constant(null),
  username: fc.constant(null),
  name: fc.constant(null),
})

/** The name of the contact that is meant, by going through all of them. */
function nameByReading(identity: Identity, contacts: readonly Fields[], isOnlyPerson: boolean) {
  const isMeant = (contact: Fields) => {
    const { userId, phone } = subjectOf(contact)
    if (identity.userId !== null && userId !== null) return identity.userId === userId
    return identity.phone !== null && identity.phone === phone
  }
  const only = isOnlyPerson && contacts.length === 1 ? contacts[0] : undefined
  const meant = contacts.find(isMeant) ?? only
  if (meant === undefined) return null
  const { userId } = subjectOf(meant)
  const isOther = identity.userId !== null && userId !== null && identity.userId !== userId
  return isOther ? null : own(fieldsOf(own(meant, 'profile')), 'name')
}

describe('Profiles', () => {
  it('finds the contact that going through all of them finds', () => {
    const setting = fc.tuple(anIdentity, fc.array(aContact, { maxLength: 6 }), fc.boolean())
    fc.assert(
      fc.property(setting, ([identity, unnamed, isOnlyPerson]) => {
        const contacts = unnamed.map((contact, i) => ({ ...contact, profile: { name: `${i}` } }))
        const { name } = new Profiles(contacts).with(identity, isOnlyPerson)
        assert.equal(name, nameByReading(identity, contacts, isOnlyPerson))
      }),
      { numRuns: 2000 },
    )
  })

  it('reads each contact of a change once, however many people write in it', () => {
    let reads = 0
    const contacts = Array.from({ length: 1000 }, (_, i) => ({
      get wa_id() {
        reads++
        return `${i}`
      },
      profile: { name: `${i}` },
    }))
    const profiles = new Profiles(contacts)
    for (let i = 0; i < contacts.length; i++) {
      assert.equal(profiles.with(subjectOf({ wa_id: `${i}` }), false).name, `${i}`)
    }
    assert.equal(reads, contacts.length)
  })
})
