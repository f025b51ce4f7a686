import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fold } from '../../src/app/model/fold.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aMessage, insertAll, intakeOf } from '../support/a-message.ts'
import { aChangedNumber, aStatus, aText, at, change } from '../support/cloud-api.ts'
import { ARRIVAL, intakeWith, saidAt } from '../support/cloud-intake.ts'
import { type NewPlace, usePlace } from './store-place.ts'

const DAY_MS = 24 * 60 * 60 * 1000

type Fields = Readonly<Record<string, unknown>>

const messages = (...items: Fields[]) => change({ messages: items })
const statuses = (...items: Fields[]) => change({ statuses: items })
const edited = (id: string, original: string, body: string, timestamp: string) =>
  aText({
    ...{ id, timestamp, type: 'edit', text: undefined },
    edit: { original_message_id: original, message: { type: 'text', text: { body } } },
  })
const revoked = (id: string, original: string) =>
  aText({ id, type: 'revoke', text: undefined, revoke: { original_message_id: original } })

const reaction = (fields: Fields, emoji: string) =>
  aText({ type: 'reaction', text: undefined, reaction: { message_id: 'a', emoji }, ...fields })

/** Everything a reader can see, without what depends on the order of arrival. */
async function stateOf(store: MessageStore) {
  const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 1000 })
  const seen = entries.map((entry) => {
    if (entry.kind === 'message') {
      const { seq: _, ...message } = entry.message
      return JSON.stringify(message)
    }
    const { seq: _, intake: __, data: ___, ...event } = entry.event
    return JSON.stringify(event)
  })
  return { seen: seen.sort(), stats: await store.stats() }
}

/** The requests that the entries of the sequence came in, in its order. */
async function intakesOf(store: MessageStore): Promise<number[]> {
  const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 1000 })
  const all = entries.map((entry) => (entry.kind === 'message' ? entry.intake : entry.event.intake))
  return [...new Set(all)]
}

/** What happens beside messages, and what it does to them. */
export function eventContract(newPlace: NewPlace): void {
  describe('keeps events', () => {
    sequence(newPlace)
    changes(newPlace)
    people(newPlace)
    orders(newPlace)
    bodies(newPlace)
  })
}

function sequence(newPlace: NewPlace): void {
  it('and messages in one sequence, of which any part can be read', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await store.insert([
      intakeWith(messages(aText({ id: 'a' })), statuses(aStatus('x', 'sent'))),
      intakeWith(messages(aText({ id: 'b' })), change({ errors: [{ code: 1 }] })),
    ])
    const kinds = async (after: number, limit: number, filter = {}) => {
      const page = await store.eventsAfter({ filter, after, limit })
      const shown = page.entries.map((entry) =>
        entry.kind === 'message' ? entry.message.messageId : entry.event.kind,
      )
      return [shown, page.next]
    }
    assert.deepEqual(await kinds(0, 100), [['a', 'status', 'b', 'error'], 4])
    assert.deepEqual(await kinds(0, 2), [['a', 'status'], 2])
    assert.deepEqual(await kinds(2, 2), [['b', 'error'], 4])
    assert.deepEqual(await kinds(4, 2), [[], 4])
    assert.deepEqual(await kinds(0, 100, { kinds: ['status'] }), [['status'], 4])
    assert.deepEqual(await kinds(0, 1, { kinds: ['message'] }), [['a'], 1])
    assert.deepEqual(await kinds(0, 9, { contact: '+14155550100' }), [['a', 'status', 'b'], 4])
    assert.deepEqual(await kinds(0, 9, { phoneNumberId: 'none' }), [[], 4])
    assert.equal(await store.lastSeq(), 4)
  })

  it('each once, but errors that have no identity as often as they come', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const intake = intakeWith(
      messages(aText({ id: 'a' })),
      statuses(aStatus('a', 'sent'), aStatus('a', 'sent'), aStatus('a', 'read')),
      change({ errors: [{ code: 1 }] }),
      change({ event: 'DISABLED_UPDATE' }, 'account_update'),
    )
    await Promise.all([store.insert([intake]), store.insert([intake, intake])])
    const { eventsByKind, messagesByStatus } = await store.stats()
    assert.deepEqual(eventsByKind, { account: 1, error: 3, message: 1, status: 2 })
    assert.deepEqual(messagesByStatus, { read: 1 })
  })

  it('of a batch that overlaps an earlier one only what is new', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const [one, two, three] = ['1', '2', '3'].map((id) => aText({ id }))
    assert.ok(one && two && three)
    await store.insert([intakeWith(messages(one, two))])
    const { outcomes } = await store.insert([intakeWith(messages(two, three, one))])
    assert.deepEqual(
      outcomes[0]?.map(({ kind }) => kind),
      ['duplicate', 'created', 'duplicate'],
    )
    assert.equal((await store.stats()).totalMessages, 3)
  })

  it('and a message and an echo with one id as two, of which each is compared with its own', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const echo = (body: string) => {
      const item = aText({ id: 'a', from: '14155550101', to: '14155550100', text: { body } })
      return change({ message_echoes: [item] }, 'smb_message_echoes')
    }
    const insert = async (value: Fields) => (await store.insert([intakeWith(value)])).outcomes
    const message = messages(aText({ id: 'a' }))
    assert.deepEqual(await insert(message), [[{ kind: 'created' }]])
    assert.deepEqual(await insert(echo('Sent')), [[{ kind: 'created' }]])
    assert.deepEqual(await insert(message), [[{ kind: 'duplicate' }]])
    assert.deepEqual(await insert(echo('Sent')), [[{ kind: 'duplicate' }]])
    assert.equal((await insert(echo('Other')))[0]?.[0]?.kind, 'conflict')
    assert.equal((await store.stats()).totalMessages, 2)
  })

  it('and tells of two that differ in one body by the digest of that body', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const intake = intakeWith(messages(aText({ id: 'a' }), aText({ id: 'a', text: { body: 'x' } })))
    const sha256 = createHash('sha256').update(intake.body).digest('hex')
    const { outcomes } = await store.insert([intake])
    assert.deepEqual(outcomes, [
      [{ kind: 'created' }, { kind: 'conflict', storedSha256: sha256, receivedSha256: sha256 }],
    ])
  })
}

function changes(newPlace: NewPlace): void {
  it('and shows a message as its latest edit, found by its new text only', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await store.insert([intakeWith(messages(aText({ id: 'a', text: { body: 'first words' } })))])
    await store.insert([
      intakeWith(messages(edited('e2', 'a', 'third words', '1736935300'))),
      intakeWith(messages(edited('e1', 'a', 'second words', '1736935250'))),
    ])
    const detail = await store.find('a')
    assert.equal(detail?.message.text, 'third words')
    assert.equal(detail.message.edited, true)
    assert.equal(detail.originalText, 'first words')
    assert.deepEqual(
      detail.events.map(({ key, text }) => [key, text]),
      [
        ['e1', 'second words'],
        ['e2', 'third words'],
      ],
    )
    // Again and again, while an index may catch up.
    for (let round = 0; round < 20; round++) {
      for (const [search, total] of [
        ['first words', 0],
        ['second', 0],
        ['third words', 1],
        ['wo', 1],
      ] as const) {
        const request = { filter: { search: fold(search) }, order: 'asc', limit: 5, offset: 0 }
        assert.equal((await store.page({ ...request, order: 'asc' })).total, total, search)
      }
    }
  })

  it('and lists edits so that the last one is what the message says, in whatever order they came', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    let runs = 0
    const anEdit = fc.record({ id: fc.nat(99), second: fc.nat(1) })
    const someEdits = fc.uniqueArray(anEdit, {
      selector: ({ id }) => id,
      minLength: 1,
      maxLength: 6,
    })
    await fc.assert(
      fc.asyncProperty(someEdits, fc.nat(6), async (edits, place) => {
        const original = `edited-${++runs}`
        const items = edits.map(({ id, second }) =>
          edited(`${runs}-${id}`, original, `Edit ${id}`, String(1736935300 + second)),
        )
        const arrived = items.toSpliced(place % (items.length + 1), 0, aText({ id: original }))
        for (const item of arrived) await store.insert([intakeWith(messages(item))])
        const detail = await store.find(original)
        assert.equal(detail?.events.length, edits.length)
        assert.equal(detail.events.at(-1)?.text, detail.message.text)
      }),
      { numRuns: 100 },
    )
  })

  it('and shows a revoked message without its text, which stays in its history', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await store.insert([intakeWith(messages(revoked('r', 'a')))])
    assert.equal(await store.find('a'), null)
    await store.insert([
      intakeWith(messages(aText({ id: 'a' }), edited('e', 'a', 'x', '1736939999'))),
    ])
    const detail = await store.find('a')
    assert.deepEqual(
      [detail?.message.text, detail?.message.revoked, detail?.originalText],
      [null, true, 'Hello'],
    )
  })

  it('and the status that counts, also of messages that come later or never', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const at = (timestamp: string) => ({ timestamp })
    await store.insert([
      intakeWith(statuses(aStatus('a', 'read', at('1736935203')), aStatus('b', 'failed'))),
      intakeWith(statuses(aStatus('a', 'delivered', at('1736935209')), aStatus('b', 'sent'))),
    ])
    assert.deepEqual((await store.stats()).messagesByStatus, { failed: 1, read: 1 })
    const echo = aText({ id: 'a', from: '14155550101', to: '14155550100' })
    await store.insert([intakeWith(change({ message_echoes: [echo] }, 'smb_message_echoes'))])
    assert.equal((await store.find('a'))?.message.status, 'read')
    const filter = { status: 'read', direction: 'outbound' } as const
    assert.equal((await store.page({ filter, order: 'asc', limit: 5, offset: 0 })).total, 1)
  })

  it('and a status of an unknown name, also of a message that was edited since', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await store.insert([intakeWith(messages(edited('e', 'a', 'edited', '1736935300')))])
    await store.insert([intakeWith(statuses(aStatus('a', 'warning')))])
    assert.deepEqual((await store.stats()).messagesByStatus, { warning: 1 })
  })

  it('and the status that a history gives a message, which takes no time from another', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const read = { from: '14155550101', history_context: { status: 'READ' } }
    const items = ['a', 'b', 'c'].map((id) => aText({ id, ...read }))
    const threads = [{ id: '14155550100', messages: items }]
    const history = intakeWith(change({ history: [{ threads }] }, 'history'))
    const timed = (id: string) => intakeWith(statuses(aStatus(id, 'read')))
    await store.insert([timed('a'), history, timed('b'), history])
    for (const [id, expected] of [
      ['a', '2025-01-15T10:00:00Z'],
      ['b', '2025-01-15T10:00:00Z'],
      ['c', new Date(ARRIVAL).toISOString().replace('.000', '')],
    ] as const) {
      const found = await store.find(id)
      assert.equal(found?.message.status, 'read')
      assert.deepEqual(
        found.events.map(({ type, ts }) => [type, ts]),
        [['read', expected]],
      )
    }
  })

  it('of a status that is repeated with another time the earliest', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    for (const timestamp of ['1736935205', '1736935201', '1736935209']) {
      await store.insert([intakeWith(statuses(aStatus('a', 'sent', { timestamp })))])
    }
    const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 9 })
    assert.deepEqual(
      entries.map((entry) => entry.kind === 'event' && entry.event.ts),
      ['2025-01-15T10:00:01Z'],
    )
  })

  it('and what the first one says of a status that is repeated with the same time', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await store.insert([intakeWith(statuses(aStatus('a', 'sent')))])
    await store.insert([intakeWith(statuses(aStatus('a', 'sent', { errors: [{ code: 1 }] })))])
    const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 9 })
    const [data] = entries.map((entry) => entry.kind === 'event' && entry.event.data)
    assert.deepEqual(data, aStatus('a', 'sent'))
  })

  it('and the reactions to a message, in the order of their times and then of their arrival', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await store.insert([
      intakeWith(
        messages(
          aText({ id: 'a' }),
          reaction({ id: '3', timestamp: '1736935220' }, '🎉'),
          reaction({ id: '2', timestamp: '1736935220' }, '🙏'),
          reaction({ id: '4', timestamp: '1736935210' }, '👍'),
        ),
      ),
    ])
    const reactions = (await store.find('a'))?.reactions.map(({ text }) => text)
    assert.deepEqual(reactions, ['👍', '🎉', '🙏'])
  })

  it('and the reactions to a message of a group, whoever they are of', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const inGroup = { group_id: 'group' }
    await store.insert([
      intakeWith(
        messages(
          aText({ id: 'a', ...inGroup }),
          reaction({ id: '1', from: '14155550102', ...inGroup }, '👍'),
          reaction({ id: '2', from: '14155550103', ...inGroup }, '🎉'),
        ),
      ),
    ])
    const reactions = (await store.find('a'))?.reactions.map(({ from }) => from)
    assert.deepEqual(reactions, ['+14155550102', '+14155550103'])
  })

  it('and gives a placeholder of a history its content when that follows', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const history = (item: Fields) =>
      change({ history: [{ threads: [{ id: '14155550100', messages: [item] }] }] }, 'history')
    const placeholder = aText({ id: 'p', type: 'media_placeholder', text: undefined })
    const image = aText({
      id: 'p',
      type: 'image',
      text: undefined,
      image: { id: '7', caption: 'View' },
    })
    await store.insert([intakeWith(history(placeholder))])
    await store.insert([intakeWith(history(image))])
    const detail = await store.find('p')
    assert.deepEqual([detail?.message.type, detail?.message.text], ['image', 'View'])
    assert.deepEqual((await store.stats()).messagesByType, { image: 1 })
    const { outcomes } = await store.insert([intakeWith(history(placeholder))])
    assert.deepEqual(new Set(outcomes.flat().map(({ kind }) => kind)), new Set(['duplicate']))
    assert.equal((await store.find('p'))?.message.text, 'View')
  })

  it('and tells nobody of a placeholder that comes behind its content', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await store.insert([intakeWith(messages(aText({ id: 'p' })))])
    const placeholder = aText({ id: 'p', type: 'media_placeholder', text: undefined })
    await store.insert([intakeWith(messages(placeholder))])
    assert.deepEqual((await store.stats()).eventsByKind, { message: 1 })
    assert.equal((await store.find('p'))?.message.text, 'Hello')
  })

  it('and keeps the content of a placeholder that was edited before it had any', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const content = intakeWith(messages(aText({ id: 'p', text: { body: 'content' } })))
    await store.insert([
      intakeWith(
        messages(aText({ id: 'p', type: 'media_placeholder', text: undefined })),
        messages(edited('e', 'p', 'edited', '1736935300')),
      ),
      content,
    ])
    const detail = await store.find('p')
    assert.deepEqual([detail?.message.text, detail?.originalText], ['edited', 'content'])
    assert.deepEqual((await store.insert([content])).outcomes, [[{ kind: 'duplicate' }]])
  })

  it('and gives it its content also in a batch that edits something else', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const placeholder = aText({ id: 'p', type: 'media_placeholder', text: undefined })
    await store.insert([intakeWith(messages(placeholder, aText({ id: 'a' })))])
    const other = messages(aText({ id: 'other' }), aText({ id: 'p' }), aText({ id: 'third' }))
    const edit = messages(edited('e', 'a', 'edited', '1736935300'))
    await store.insert([intakeWith(other, edit)])
    const texts = ['p', 'a', 'other', 'third'].map(
      async (id) => (await store.find(id))?.message.text,
    )
    assert.deepEqual(await Promise.all(texts), ['Hello', 'edited', 'Hello', 'Hello'])
    const { eventsByKind, messagesByType } = await store.stats()
    assert.deepEqual(eventsByKind, { edit: 1, history: 1, message: 4 })
    assert.deepEqual(messagesByType, { text: 4 })
  })

  it('and takes what a chunk of a history calls a message for no message', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const ids = ['a', 'a\u0000', '\ud800', 'long'.repeat(200)]
    const chunks = ids.map((message_id) => ({ message_id }))
    const { outcomes } = await store.insert([intakeWith(change({ history: chunks }, 'history'))])
    assert.deepEqual(outcomes, [ids.map(() => ({ kind: 'created' }))])
    const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 9 })
    assert.deepEqual(
      entries.map((entry) => entry.kind === 'event' && entry.event.messageId),
      [null, null, null, null],
    )
  })
}

function people(newPlace: NewPlace): void {
  const contactOf = async (store: MessageStore, id: string) =>
    (await store.find(id))?.message.contact?.key

  it('and knows a person by their id, and by a number until one payload names both', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await store.insert([intakeWith(messages(aText({ id: 'phone' })))])
    await store.insert([intakeWith(messages(aText({ id: 'id', from: '', from_user_id: 'US.1' })))])
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
    await store.insert([intakeWith(messages(aText({ id: 'phone' })))])
    await store.insert([intakeWith(messages(aText({ id: 'id', from: '', from_user_id: 'US.1' })))])
    const both = messages(aText({ id: 'again' }), aText({ id: 'both', from_user_id: 'US.1' }))
    const edit = messages({ ...edited('e', 'a', 'x', '1736935300'), from: '14155550102' })
    await store.insert([intakeWith(both, edit)])
    for (const id of ['phone', 'id', 'again', 'both']) {
      assert.equal(await contactOf(store, id), 'US.1', id)
    }
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

  it('and takes a number with another id for another person', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await store.insert([intakeWith(messages(aText({ id: 'one', from_user_id: 'US.1' })))])
    await store.insert([intakeWith(messages(aText({ id: 'two', from_user_id: 'US.2' })))])
    assert.equal(await contactOf(store, 'one'), 'US.1')
    assert.equal(await contactOf(store, 'two'), 'US.2')
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
    await store.insert([intakeWith(messages(aText({ id: 'old', from: '', from_user_id: 'US.1' })))])
    const update = { user_id: { previous: 'US.1', current: 'US.2' }, timestamp: 1736935300 }
    await store.insert([intakeWith(change({ user_id_update: [update] }, 'user_id_update'))])
    await store.insert([intakeWith(messages(aText({ id: 'new', from: '', from_user_id: 'US.2' })))])
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
}

function orders(newPlace: NewPlace): void {
  /** Two people, an edit, a revocation, statuses in both worlds, things without messages. */
  const ITEMS: readonly Fields[] = [
    messages(aText({ id: 'a', text: { body: 'one' } })),
    messages(aText({ id: 'b', from: '', from_user_id: 'US.9' })),
    messages(aText({ id: 'c', from: '14155550102' })),
    messages(edited('e1', 'a', 'two', '1736935260')),
    messages(edited('e2', 'a', 'three', '1736935270')),
    messages(revoked('r', 'c')),
    messages(aText({ id: 'odd', type: 'hologram' })),
    messages(aText({ id: '' })),
    statuses(aStatus('a', 'sent')),
    statuses(aStatus('a', 'sent', { timestamp: '1736935199' })),
    statuses(aStatus('a', 'delivered', { timestamp: '1736935202' })),
    statuses(aStatus('z', 'failed', { timestamp: '1736935201' })),
    statuses(aStatus('z', 'delivered', { timestamp: '1736935200' })),
    change({ calls: [{ id: 'c1', event: 'connect', from: '14155550100' }] }, 'calls'),
    change({ event: 'DISABLED_UPDATE' }, 'account_update'),
    change({ x: 1 }, 'brand_new_field'),
  ]

  it('so that order, repetition and batching of the same events make no difference', async (test) => {
    const reference = await (await usePlace(test, newPlace)).open()
    await reference.insert([intakeWith(...ITEMS)])
    const expected = await stateOf(reference)
    const someOrder = fc
      .shuffledSubarray([...ITEMS], { minLength: ITEMS.length })
      .chain((order) =>
        fc.tuple(
          fc.constant(order),
          fc.shuffledSubarray([...ITEMS]),
          fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 40, maxLength: 40 }),
        ),
      )
    await fc.assert(
      fc.asyncProperty(someOrder, async ([order, again, sizes]) => {
        const store = await (await usePlace(test, newPlace)).open()
        const rest = [...order, ...again]
        for (const size of sizes) {
          const part = rest.splice(0, size)
          if (part.length > 0) await store.insert([intakeWith(...part)])
        }
        assert.deepEqual(await stateOf(store), expected)
        await store.close()
      }),
      { numRuns: 12 },
    )
  })

  it('so that nothing is left of a batch in which one request can not be stored', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const intakes = [messages(aText({ id: 'a' })), statuses(aStatus('a', 'read'))].map((value) =>
      intakeWith(value),
    )
    const atFault = { ...intakeWith(messages(aText())), receivedAt: 0.5 }
    await assert.rejects(store.insert([...intakes, atFault]))
    assert.deepEqual((await store.insert(intakes)).outcomes.flat(), [
      { kind: 'created' },
      { kind: 'created' },
    ])
    const { topSenders, eventsByKind, messagesByStatus } = await store.stats()
    assert.deepEqual(topSenders, [{ from: '+14155550100', count: 1 }])
    assert.deepEqual([eventsByKind, messagesByStatus], [{ message: 1, status: 1 }, { read: 1 }])
    const { conversations } = await store.conversations({ limit: 9 })
    assert.deepEqual(
      conversations.map(({ messages }) => messages),
      [1],
    )
  })

  it('so that a batch that was cut off is completed by sending it again', async (test) => {
    const whole = await (await usePlace(test, newPlace)).open()
    await whole.insert([intakeWith(...ITEMS)])
    for (let length = 0; length < ITEMS.length; length += 5) {
      const store = await (await usePlace(test, newPlace)).open()
      if (length > 0) await store.insert([intakeWith(...ITEMS.slice(0, length))])
      await store.insert([intakeWith(...ITEMS)])
      assert.deepEqual(await stateOf(store), await stateOf(whole))
    }
  })
}

/** As retention does it: as long as there may be more. */
async function expireAll(store: MessageStore, before: number): Promise<void> {
  while ((await store.expireIntakes(before)) === 'more');
}

function bodies(newPlace: NewPlace): void {
  it('and gives a body back byte for byte, small or large, until it expires', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const small = intakeWith(messages(aText()))
    const large = intakeWith(messages(aText({ text: { body: 'ä'.repeat(4000) } })))
    await store.insert([small, small, large])
    const ids = await intakesOf(store)
    assert.equal(ids.length, 2, 'a repeated request is not kept')
    for (const [id, { body }] of [
      [ids[0] ?? 0, small],
      [ids[1] ?? 0, large],
    ] as const) {
      assert.deepEqual(Buffer.from((await store.rawBody(id)) ?? []), Buffer.from(body))
      const facts = await store.intake(id)
      assert.deepEqual([facts?.bytes, facts?.receivedAt], [body.byteLength, ARRIVAL])
    }
    await expireAll(store, ARRIVAL)
    assert.ok(await store.intake(ids[0] ?? 0))
    await expireAll(store, ARRIVAL + 1)
    assert.equal(await store.rawBody(ids[0] ?? 0), null)
    assert.equal(await store.intake(ids[0] ?? 0), null)
    assert.equal((await store.stats()).totalMessages, 2)
    await insertAll(store, [aMessage({ messageId: 'later' })])
    const later = (await intakesOf(store)).at(-1) ?? 0
    assert.ok(later > Math.max(...ids), 'numbers are not given again')
    assert.ok(await store.intake(later))
  })

  it('and lets those expire that are due, also behind many of a time when the clock was ahead', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const arrivals = [ARRIVAL + 400 * DAY_MS, ARRIVAL - DAY_MS, ARRIVAL + DAY_MS]
    for (const receivedAt of arrivals) {
      const intakes = Array.from({ length: 600 }, () => intakeOf(aMessage()))
      await store.insert(intakes.map((intake) => ({ ...intake, receivedAt })))
    }
    await expireAll(store, ARRIVAL)
    const kept: unknown[] = []
    for (let id = 1; id <= 1800; id += 18) kept.push((await store.intake(id))?.receivedAt)
    const [ahead, due, recent] = arrivals.map((at) => kept.filter((kept) => kept === at).length)
    assert.deepEqual([ahead, due, recent], [34, 0, 33])
  })
}
