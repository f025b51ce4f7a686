// Who a message is from, when it was sent, and what it does to others.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCloudApi } from '../../../../src/app/receive/cloud-api.ts'
import {
  aText,
  BUSINESS,
  batch,
  change,
  type Fields,
  metaJson,
} from '../../../support/cloud-api.ts'
import {
  eventsIn,
  messagesIn,
  messageWith,
  NOW,
  onlyEventIn,
} from '../../../support/read-batches.ts'

describe('a message', () => {
  it('is from its sender to the number of the business, at its own time', () => {
    assert.partialDeepStrictEqual(messageWith({ id: 'wamid.A' }), {
      messageId: 'wamid.A',
      namespace: '',
      type: 'text',
      direction: 'inbound',
      from: '+14155550100',
      to: '+14155550101',
      ts: '2025-01-15T10:00:00Z',
      instant: '2025-01-15T10:00:00',
      phoneNumberId: BUSINESS.phone_number_id,
      text: 'Hello',
      content: null,
    })
  })

  it('takes its time as text, number or milliseconds, and else when it arrived', () => {
    for (const [timestamp, ts] of [
      ['1736935200', '2025-01-15T10:00:00Z'],
      [1736935200, '2025-01-15T10:00:00Z'],
      ['1736935200123', '2025-01-15T10:00:00.123Z'],
      [null, '2025-01-15T10:00:05.250Z'],
      ['soon', '2025-01-15T10:00:05.250Z'],
      [-1, '2025-01-15T10:00:05.250Z'],
      [1e300, '2025-01-15T10:00:05.250Z'],
    ] as const) {
      assert.equal(messageWith({ timestamp }).ts, ts)
    }
  })

  it('of somebody without a phone number is from their id', () => {
    for (const from of [undefined, null, '']) {
      const event = messageWith({ from, from_user_id: 'US.1349', from_parent_user_id: 'US.ENT.7' })
      assert.equal(event.from, 'US.1349')
      assert.partialDeepStrictEqual(event.contact, {
        phone: null,
        userId: 'US.1349',
        parentUserId: 'US.ENT.7',
      })
    }
    assert.equal(messageWith({ from: 'US.1349' }).contact?.userId, 'US.1349')
  })

  it('without any sender at all is kept', () => {
    const event = messageWith({ from: '' })
    assert.equal(event.from, '')
    assert.equal(event.contact, null)
  })

  it('takes the profile of its sender, and of nobody else', () => {
    const contacts = [
      { profile: { name: 'Anna', username: '@anna' }, wa_id: '14155550100', user_id: 'US.1' },
      { profile: { name: 'Ben' }, wa_id: '14155550102' },
    ]
    const messages = ['14155550102', '14155550100', '14155550103'].map((from) => aText({ from }))
    const names = eventsIn(batch(change({ contacts, messages }))).map(
      ({ contact }) => contact?.name,
    )
    assert.deepEqual(names, ['Ben', 'Anna', null])
    const [first] = eventsIn(batch(change({ contacts, messages: messages.slice(1, 2) })))
    assert.partialDeepStrictEqual(first?.contact, { username: 'anna', userId: 'US.1' })
  })

  it('without an id that could be one is kept as something unknown', () => {
    for (const id of [undefined, null, '', {}, 'x'.repeat(600)]) {
      const item = aText({ id })
      const [event] = messagesIn(item)
      assert.equal(event?.kind, 'unknown')
      assert.equal(metaJson(event.data), metaJson(item))
    }
    assert.deepEqual(
      messagesIn(null, 7, 'x', []).map(({ kind }) => kind),
      ['unknown', 'unknown', 'unknown', 'unknown'],
    )
  })

  it('shows no lone surrogate and no U+0000 in what is shown as text', () => {
    const body = Buffer.from(metaJson(batch(change({ messages: [aText()] }))))
    const odd = body.toString().replace('Hello', 'a\\ud83d\\u0000b')
    const [event] = parseCloudApi(Buffer.from(odd), NOW)
    assert.equal(event?.kind === 'message' && event.text, 'a\ufffd\ufffdb')
  })

  it('that is edited or revoked is an event on the first one', () => {
    const edit = { original_message_id: 'A', message: { type: 'text', text: { body: 'New' } } }
    const [edited] = messagesIn(aText({ id: 'E', type: 'edit', edit, text: undefined }))
    assert.partialDeepStrictEqual(edited, { kind: 'edit', messageId: 'A', key: 'E', text: 'New' })
    const revoke = { original_message_id: 'A' }
    const [revoked] = messagesIn(aText({ id: 'R', type: 'revoke', revoke, text: undefined }))
    assert.partialDeepStrictEqual(revoked, { kind: 'revoke', messageId: 'A', key: 'R' })
  })

  it('about a new number says who that person was before', () => {
    const system = { type: 'user_changed_number', wa_id: '14155550199', body: 'changed' }
    const event = messageWith({ type: 'system', text: undefined, system })
    assert.equal(event.contact?.phone, '+14155550199')
    assert.equal(event.formerly?.phone, '+14155550100')
  })

  it('about a new id or number is from that, where it names no sender', () => {
    const fromOf = (system: Fields, contacts: readonly Fields[] = []) => {
      const item = aText({ from: undefined, type: 'system', text: undefined, system })
      const event = onlyEventIn(batch(change({ messages: [item], contacts })))
      return event.kind === 'message' && event.from
    }
    const newId = { type: 'user_changed_user_id', user_id: 'US.2' }
    assert.equal(fromOf(newId), 'US.2')
    assert.equal(fromOf({ type: 'user_changed_number', wa_id: '14155550199' }), '+14155550199')
    assert.equal(fromOf(newId, [{ wa_id: '14155550100' }]), '+14155550100')
    assert.equal(fromOf({ type: 'customer_identity_changed' }), '')
  })
})
