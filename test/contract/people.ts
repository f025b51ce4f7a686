// Who is who: people by their ids, numbers and names, whatever changes of them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aChangedNumber, aText, at, change, type Fields } from '../support/cloud-api.ts'
import { edited, messages } from '../support/cloud-changes.ts'
import { intakeWith, saidAt } from '../support/cloud-intake.ts'
import { type NewPlace, usePlace } from './store-place.ts'

/** Who the events are of. */
export function peopleContract(newPlace: NewPlace): void {
  describe('keeps events', () => {
    const contactOf = async (store: MessageStore, id: string) =>
      (await store.find(id))?.message.contact?.key

    it('and knows a person by their id, and by a number until one payload names both', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      await store.insert([intakeWith(messages(aText({ id: 'phone' })))])
      await store.insert([
        intakeWith(messages(aText({ id: 'id', from: '', from_user_id: 'US.1' }))),
      ])
      assert.equal(await contactOf(store, 'phone'), '+14155550100')
      assert.equal(await contactOf(store, 'id'), 'US.1')
      await store.insert([intakeWith(messages(aText({ id: 'both', from_user_id: 'US.1' })))])
      for (const id of ['phone', 'id', 'both']) assert.equal(await contactOf(store, id), 'US.1')
      const { conversations } = await store.conversations({ limit: 10 })
      assert.deepEqual(
        conversations.map(({ contact, messages }) => [contact.key, messages]),
        [['US.1', 3]],
      )
      for (const contact of ['+14155550100', 'US.1']) {
        const page = await store.page({ filter: { contact }, order: 'asc', limit: 9, offset: 0 })
        assert.equal(page.total, 3)
      }
    })

    it('and makes two people one also in a batch that edits something', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const byPhone = ['phone', 'p2', 'p3'].map((id) => aText({ id }))
      const byId = (id: string) => aText({ id, from: '', from_user_id: 'US.1' })
      await store.insert([intakeWith(messages(...byPhone))])
      await store.insert([intakeWith(messages(byId('id')))])
      const both = aText({ id: 'both', from_user_id: 'US.1' })
      const edit = messages({ ...edited('e', 'a', 'x', '1736935300'), from: '14155550102' })
      await store.insert([
        intakeWith(messages(aText({ id: 'again' }), byId('id again'), both), edit),
      ])
      for (const id of ['phone', 'id', 'again', 'id again', 'both']) {
        assert.equal(await contactOf(store, id), 'US.1', id)
      }
      const { conversations } = await store.conversations({ limit: 9 })
      const [one] = conversations.filter(({ contact }) => contact.key === 'US.1')
      assert.equal(one?.messages, 7)
    })

    it('and keeps the newest profile of a person, whichever of their names came first', async (test) => {
      const profile = (name: string, fields: Fields) => [{ profile: { name }, ...fields }]
      const items = [
        change({
          messages: [aText({ id: 'n1', timestamp: '1736935201' })],
          contacts: profile('Old', { wa_id: '14155550100' }),
        }),
        change({
          messages: [aText({ id: 'n2', from: '', from_user_id: 'US.1', timestamp: '1736935202' })],
          contacts: profile('New', { user_id: 'US.1' }),
        }),
        messages(aText({ id: 'n3', from_user_id: 'US.1', timestamp: '1736935203' })),
      ]
      const [a, b, c] = items
      for (const order of [
        [a, b, c],
        [b, a, c],
        [c, b, a],
        [c, a, b],
        [b, c, a],
        [a, c, b],
      ]) {
        const store = await (await usePlace(test, newPlace)).open()
        for (const item of order) await store.insert([intakeWith(item)])
        const names = (await store.conversations({ limit: 9 })).conversations.map(
          ({ contact, messages }) => [contact.key, contact.name, contact.phone, messages],
        )
        assert.deepEqual(names, [['US.1', 'New', '+14155550100', 3]])
        await store.close()
      }
    })

    it('and of two names of one moment keeps that of who had the number, where two become one', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      for (const intake of [
        saidAt(1, 'phone', { from: '14155550100' }, { name: 'By number' }),
        saidAt(1, 'id', { from: undefined, from_user_id: 'US.1' }, { name: 'By id' }),
        saidAt(2, 'both', { from: '14155550100', from_user_id: 'US.1' }),
      ]) {
        await store.insert([intake])
      }
      const { conversations } = await store.conversations({ limit: 9 })
      assert.deepEqual(
        conversations.map(({ contact }) => contact.name),
        ['By number'],
      )
    })

    it('and takes a number with another id for another person', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      await store.insert([intakeWith(messages(aText({ id: 'one', from_user_id: 'US.1' })))])
      await store.insert([intakeWith(messages(aText({ id: 'two', from_user_id: 'US.2' })))])
      await store.insert([intakeWith(messages(aText({ id: 'last' })))])
      const contacts = ['one', 'two', 'last'].map((id) => contactOf(store, id))
      assert.deepEqual(await Promise.all(contacts), ['US.1', 'US.2', 'US.2'])
    })

    it('and knows somebody by a number they had before, until it is told with an id of theirs', async (test) => {
      const left = '14155550102'
      const moved = saidAt(3, 'moved', aChangedNumber(left, '14155550103'))
      const known = saidAt(4, 'known', { from: '14155550103', from_user_id: 'US.1' })
      const late = (second: number, from_user_id?: string) =>
        saidAt(second, `late ${second}`, { from: left, from_user_id })
      for (const [first, second, expected] of [
        [late(0), late(1, 'US.2'), ['US.1', 'US.1']],
        [late(0, 'US.2'), late(1, 'US.3'), ['US.1', 'US.3']],
      ] as const) {
        const store = await (await usePlace(test, newPlace)).open()
        for (const intake of [moved, known, first, second]) await store.insert([intake])
        const contacts = ['late 0', 'late 1'].map((id) => contactOf(store, id))
        assert.deepEqual(await Promise.all(contacts), expected)
        await store.close()
      }
    })

    it('and takes a number with another id for another person, also where an id or a number changes', async (test) => {
      const [left, kept] = ['14155550102', '14155550103']
      const system = { type: 'user_changed_user_id', user_id: 'US.2' }
      for (const [expected, intakes] of [
        [
          'US.2',
          [
            saidAt(1, 'first', { from: left, from_user_id: 'US.1' }),
            saidAt(5, 'moved', aChangedNumber(left, '14155550104')),
            saidAt(6, 'known', { from: kept, from_user_id: 'US.2' }),
            saidAt(4, 'renamed', { from: kept, from_user_id: 'US.1', type: 'system', system }),
            saidAt(3, 'other', { from: kept, from_user_id: 'US.3' }),
          ],
        ],
        [
          'US.1',
          [
            saidAt(0, 'first', { from: left, from_user_id: 'US.1' }),
            saidAt(1, 'there', { from: kept }),
            saidAt(3, 'moved', { ...aChangedNumber(left, kept), from_user_id: 'US.1' }),
            saidAt(2, 'other', { from: left, from_user_id: 'US.3' }),
          ],
        ],
      ] as const) {
        const store = await (await usePlace(test, newPlace)).open()
        for (const intake of intakes) await store.insert([intake])
        const contacts = ['first', 'moved', 'other'].map((id) => contactOf(store, id))
        assert.deepEqual(await Promise.all(contacts), [expected, expected, 'US.3'])
        await store.close()
      }
    })

    it('and leaves a number with whom it was given to last, whatever comes late or again', async (test) => {
      const [first, moved, given] = [
        saidAt(1, 'first', { from_user_id: 'US.1' }),
        saidAt(2, 'moved', { from: '14155550102', from_user_id: 'US.1' }),
        saidAt(3, 'given', { from_user_id: 'US.2' }),
      ]
      for (const order of [
        [first, moved, given, first],
        [given, first, moved, first],
        [moved, given, first],
        [given, moved, first, given],
      ]) {
        const store = await (await usePlace(test, newPlace)).open()
        for (const intake of order) await store.insert([intake])
        await store.insert([saidAt(100, 'who', {})])
        const contacts = ['first', 'moved', 'given', 'who'].map((id) => contactOf(store, id))
        assert.deepEqual(await Promise.all(contacts), ['US.1', 'US.1', 'US.2', 'US.2'])
        await store.close()
      }
    })

    it('and takes no number back by a message under an id that was another since', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const first = saidAt(1, 'first', { from_user_id: 'US.1' })
      const user_id = { previous: 'US.1', current: 'US.2' }
      const update = { user_id, ...at(2) }
      const renamed = intakeWith(change({ user_id_update: [update] }, 'user_id_update'))
      const given = saidAt(3, 'given', { from_user_id: 'US.3' })
      for (const intake of [first, renamed, given, first]) await store.insert([intake])
      await store.insert([saidAt(9, 'who', {})])
      const contacts = ['first', 'given', 'who'].map((id) => contactOf(store, id))
      assert.deepEqual(await Promise.all(contacts), ['US.2', 'US.3', 'US.3'])
    })

    it('and leaves no number with somebody who has become one with another person', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const [left, taken] = ['14155550100', '14155550102']
      for (const intake of [
        saidAt(0, 'first', { from: taken, from_user_id: 'US.1' }),
        saidAt(2, 'moved', aChangedNumber(left, taken)),
        saidAt(3, 'known', { from: undefined, from_user_id: 'US.1' }),
        saidAt(4, 'back', { from: left }),
        saidAt(0, 'other', { from: undefined, from_user_id: 'US.2' }),
        saidAt(1, 'late', { from: left, from_user_id: 'US.2' }),
        saidAt(5, 'who', { from: left }),
      ]) {
        await store.insert([intake])
      }
      const contacts = ['first', 'late', 'who'].map((id) => contactOf(store, id))
      assert.deepEqual(await Promise.all(contacts), ['US.1', 'US.1', 'US.1'])
    })

    it('and every address that somebody was seen under, by the key that a reader knows', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const from = (digits: string, timestamp: string) =>
        intakeWith(messages(aText({ from: digits, from_user_id: 'US.1', timestamp })))
      await store.insert([from('14155550100', '1736935200'), from('14155550102', '1736935201')])
      await store.insert([intakeWith(messages(aText({ from: '14155550103' })))])
      const known = await store.addressesOf(['US.1', 'US.2', '__proto__'])
      assert.deepEqual(known.map(({ key, address }) => `${key} ${address}`).toSorted(), [
        'US.1 +14155550100',
        'US.1 +14155550102',
        'US.1 US.1',
      ])
      assert.deepEqual(await store.addressesOf(['+14155550103']), [
        { key: '+14155550103', address: '+14155550103' },
      ])
    })

    it('and follows somebody to a new id', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      await store.insert([
        intakeWith(messages(aText({ id: 'old', from: '', from_user_id: 'US.1' }))),
      ])
      const update = { user_id: { previous: 'US.1', current: 'US.2' }, timestamp: 1736935300 }
      await store.insert([intakeWith(change({ user_id_update: [update] }, 'user_id_update'))])
      await store.insert([
        intakeWith(messages(aText({ id: 'new', from: '', from_user_id: 'US.2' }))),
      ])
      assert.deepEqual(
        [await contactOf(store, 'old'), await contactOf(store, 'new')],
        ['US.2', 'US.2'],
      )
    })

    it('and follows somebody whose number stays to a new id', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      await store.insert([intakeWith(messages(aText({ id: 'old', from_user_id: 'US.1' })))])
      const system = { type: 'user_changed_user_id', user_id: 'US.2' }
      await store.insert([intakeWith(messages(aText({ id: 'new', type: 'system', system })))])
      assert.deepEqual(
        [await contactOf(store, 'old'), await contactOf(store, 'new')],
        ['US.2', 'US.2'],
      )
    })

    it('and lists somebody by their newest message, also where one request holds an older one behind it', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const [one, other] = ['14155550100', '14155550200'] as const
      const items = [9, 1].map((second) => aText({ from: one, ...at(second) }))
      await store.insert([intakeWith(messages(...items))])
      await store.insert([saidAt(5, 'between', { from: other })])
      const { conversations } = await store.conversations({ limit: 9 })
      assert.deepEqual(
        conversations.map(({ contact }) => contact.key),
        [`+${one}`, `+${other}`],
      )
    })

    it('and lists people by their newest message, page by page', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const times = [3, 1, 4, 1, 5, 9, 2, 6]
      const items = times.map((second, i) => aText({ from: `1415555020${i}`, ...at(second) }))
      await store.insert([intakeWith(messages(...items))])
      const keys: string[] = []
      let after: Awaited<ReturnType<MessageStore['conversations']>>['next'] = null
      do {
        const page = await store.conversations({ limit: 3, ...(after === null ? {} : { after }) })
        keys.push(...page.conversations.map(({ contact }) => contact.key.slice(-1)))
        after = page.next
      } while (after !== null)
      assert.deepEqual(keys.join(''), '57420631')
    })
  })
}
