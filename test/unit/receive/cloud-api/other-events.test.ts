// Events that are neither messages nor statuses.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BUSINESS, batch, change, type Fields } from '../../../support/cloud-api.ts'
import { eventsIn, onlyEventIn } from '../../../support/read-batches.ts'

describe('everything else', () => {
  it('takes the profile of whom it is about', () => {
    const contacts = [{ wa_id: '14155550100', user_id: 'US.1', profile: { name: 'Ann' } }]
    const calls = [{ id: 'c', event: 'connect', from: '14155550100' }]
    const event = onlyEventIn(batch(change({ calls, contacts }, 'calls')))
    assert.partialDeepStrictEqual(event.contact, {
      phone: '+14155550100',
      userId: 'US.1',
      name: 'Ann',
    })
  })

  it('shows the person and the number it names', () => {
    const shown = (field: string, value: Fields) => {
      const { contact, phoneNumberId } = onlyEventIn(batch({ field, value }))
      return [contact?.phone ?? null, contact?.userId ?? null, contact?.username, phoneNumberId]
    }
    const handover = {
      sender: { phone_number: '14155550100', user_id: 'US.1' },
      recipient: { phone_number_id: '106', display_phone_number: '14155550101' },
    }
    assert.deepEqual(
      shown('messaging_handovers', { ...handover, type: 'control_passed', timestamp: '7' }),
      ['+14155550100', 'US.1', null, '106'],
    )
    assert.deepEqual(shown('messaging_handovers', { type: 'control_passed' }), [
      ...[null, null, undefined, null],
    ])
    assert.deepEqual(
      shown('account_settings_update', {
        ...{ type: 'PHONE_NUMBER_SETTINGS', timestamp: '7' },
        phone_number_settings: { phone_number_id: '106' },
      }),
      [null, null, undefined, '106'],
    )
    const metadata = BUSINESS
    const join = { type: 'group_join_request_created', join_request_id: 'j', username: '@ann' }
    assert.deepEqual(
      shown('group_participants_update', {
        ...{ metadata, groups: [{ ...join, wa_id: '14155550100', user_id: 'US.1' }] },
      }),
      ['+14155550100', 'US.1', 'ann', BUSINESS.phone_number_id],
    )
    assert.deepEqual(
      shown('group_participants_update', { metadata, groups: [{ type: 'x', group_id: 'G' }] }),
      [null, null, undefined, BUSINESS.phone_number_id],
    )
    const ringing = { id: 'c', status: 'RINGING', recipient_user_id: 'US.1' }
    for (const [recipient, phone] of [
      [{}, null],
      [{ recipient_id: '14155550100' }, '+14155550100'],
    ] as const) {
      const statuses = [{ ...ringing, ...recipient }]
      assert.deepEqual(shown('calls', { metadata, statuses }), [
        ...[phone, 'US.1', null, BUSINESS.phone_number_id],
      ])
    }
  })

  it('has the identity of its kind', () => {
    const keyOf = (field: string, value: Fields) => {
      const event = onlyEventIn(batch(change(value, field)))
      return 'key' in event && 'type' in event ? [event.kind, event.type, event.key] : []
    }
    assert.deepEqual(keyOf('calls', { calls: [{ id: 'c', event: 'connect', from: '1415' }] }), [
      'call',
      'calls:connect',
      '["calls","c","connect"]',
    ])
    const preference = { wa_id: '1415', category: 'm', value: 'stop', timestamp: 7 }
    assert.deepEqual(keyOf('user_preferences', { user_preferences: [preference] }), [
      'preference',
      'user_preferences:stop',
      '["user_preferences","+1415","m","7","stop"]',
    ])
    const group = { request_id: 'r', type: 'group_create', timestamp: '8' }
    assert.deepEqual(keyOf('group_lifecycle_update', { groups: [group] }), [
      'group',
      'group_lifecycle_update:group_create',
      '["group_lifecycle_update","r","group_create","8"]',
    ])
  })

  it('in one second and of one person or group is as many events as there are', () => {
    const keysOf = (field: string, list: string, ...items: readonly Fields[]) => {
      const events = eventsIn(batch(change({ [list]: items }, field)))
      return new Set(events.map((event) => ('key' in event ? event.key : null))).size
    }
    const group = { group_id: 'G', timestamp: '1751210150' }
    const joins = { ...group, type: 'group_join_request_created' }
    const join_request_id = 'j1'
    const asked = { ...joins, join_request_id, wa_id: '14155550111' }
    const added = { ...group, type: 'group_participants_add', reason: 'invite_link' }
    const items = [
      asked,
      { ...joins, join_request_id: 'j2', wa_id: '14155550112' },
      { ...added, added_participants: [{ wa_id: '14155550111' }] },
      { ...added, added_participants: [{ wa_id: '14155550112' }] },
    ]
    assert.equal(keysOf('group_participants_update', 'groups', ...items, ...items), 4)
    const again = { ...asked, username: '@later' }
    assert.equal(keysOf('group_participants_update', 'groups', asked, again), 1)
    const preference = { wa_id: '14155550100', category: 'marketing_messages', timestamp: 7 }
    const [stop, resume] = ['stop', 'resume'].map((value) => ({ ...preference, value }))
    assert.ok(stop && resume)
    assert.equal(keysOf('user_preferences', 'user_preferences', stop, resume, stop), 2)
  })

  it('without an identity is known by all there is of it', () => {
    const account = () => onlyEventIn(batch(change({ event: 'DISABLED_UPDATE' }, 'account_update')))
    assert.deepEqual(account(), account())
  })

  it('that is an error is known by the time of its entry and its place, without one by nothing', () => {
    const keysAt = (time?: unknown) => {
      const errors = change({ errors: [{ code: 1 }, { code: 1 }] })
      const entry = { id: '7', time, changes: [errors] }
      const events = eventsIn({ object: 'whatsapp_business_account', entry: [entry] })
      assert.deepEqual(
        events.map(({ kind }) => kind),
        ['error', 'error'],
      )
      return events.map((event) => ('key' in event ? event.key : undefined))
    }
    assert.deepEqual(keysAt(), [null, null])
    assert.deepEqual(keysAt(1736935200), keysAt(1736935200))
    const all = new Set([...keysAt(1736935200), ...keysAt(1736935201)])
    assert.equal(all.size, 4)
    assert.ok(!all.has(null))
  })

  it('that says that an id has changed says who that person was before', () => {
    const update = {
      wa_id: '14155550100',
      user_id: { previous: 'US.1', current: 'US.2' },
      timestamp: 5,
    }
    const event = onlyEventIn(batch(change({ user_id_update: [update] }, 'user_id_update')))
    assert.equal(event.kind, 'identity')
    assert.partialDeepStrictEqual(event.contact, { userId: 'US.2', phone: '+14155550100' })
    assert.equal(event.formerly?.userId, 'US.1')
  })
})
