// What happens to messages: edits, revocations, statuses, reactions, and contents that follow.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PLACEHOLDER_FILLED } from '../../src/app/model/content.ts'
import { fold } from '../../src/app/model/fold.ts'
import { aStatus, aText, at, change, type Fields } from '../support/cloud-api.ts'
import { edited, messages, revoked, statuses } from '../support/cloud-changes.ts'
import { ARRIVAL, intakeWith } from '../support/cloud-intake.ts'
import { type NewPlace, usePlace } from './store-place.ts'

const reaction = (fields: Fields, emoji: string) =>
  aText({ type: 'reaction', text: undefined, reaction: { message_id: 'a', emoji }, ...fields })

/** What events do to the messages that they are about. */
export function changesContract(newPlace: NewPlace): void {
  describe('keeps events', () => {
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

    it('and what a message without a text said first, however often it is edited', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const image = aText({ id: 'a', type: 'image', text: undefined, image: { id: '7' } })
      await store.insert([intakeWith(messages(image))])
      for (const second of [1, 2]) {
        const { timestamp } = at(second)
        await store.insert([intakeWith(messages(edited(`e${second}`, 'a', 'words', timestamp)))])
        const detail = await store.find('a')
        assert.deepEqual([detail?.message.text, detail?.originalText], ['words', null])
      }
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
            reaction({ id: '3', from: '14155550103', timestamp: '1736935220' }, '🎉'),
            reaction({ id: '2', from: '14155550102', timestamp: '1736935220' }, '🙏'),
            reaction({ id: '4', from: '14155550104', timestamp: '1736935210' }, '👍'),
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

    it('and tells whoever follows what a placeholder was filled with, whichever came first', async (test) => {
      const history = (item: Fields) =>
        change({ history: [{ threads: [{ id: '14155550200', messages: [item] }] }] }, 'history')
      const said = { id: 'p', from: '14155550101', text: undefined }
      const placeholder = history(aText({ ...said, type: 'media_placeholder' }))
      const image = { id: '7', caption: 'View' }
      const media = change({ messages: [aText({ ...said, type: 'image', image })] }, 'history')
      for (const items of [
        [placeholder, media],
        [media, placeholder],
      ]) {
        const store = await (await usePlace(test, newPlace)).open()
        for (const item of items) await store.insert([intakeWith(item)])
        const { content } = (await store.find('p'))?.message ?? {}
        assert.equal(content?.media?.caption, 'View')
        const filter = { kinds: ['history'] } as const
        const { entries } = await store.eventsAfter({ filter, after: 0, limit: 9 })
        const filled = entries.flatMap((entry) =>
          entry.kind === 'event' && entry.event.type === PLACEHOLDER_FILLED
            ? [entry.event.data]
            : [],
        )
        assert.deepEqual(filled, [{ message_id: 'p', type: 'image', text: 'View', content }])
      }
    })

    it('and fills a message and an echo with one id each with its own content', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const item = (fields: Fields) => aText({ id: 'p', to: '14155550102', ...fields })
      const both = (fields: Fields) => [
        messages(item(fields)),
        change({ message_echoes: [item(fields)] }, 'smb_message_echoes'),
      ]
      await store.insert([intakeWith(...both({ type: 'media_placeholder', text: undefined }))])
      const { outcomes } = await store.insert([intakeWith(...both({ text: { body: 'Content' } }))])
      assert.deepEqual(outcomes, [[{ kind: 'created' }, { kind: 'created' }]])
      assert.equal((await store.stats()).eventsByKind['history'], 2)
    })

    it('and leaves whom a message is to as it was said first, where its person is told later', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const image = { type: 'image', text: undefined, image: { id: '7' } }
      await store.insert([intakeWith(messages(aText({ id: 'p', from: undefined, ...image })))])
      const placeholder = aText({ id: 'p', type: 'media_placeholder', text: undefined })
      await store.insert([intakeWith(change({ messages: [placeholder], metadata: undefined }))])
      const { to, contact } = (await store.find('p'))?.message ?? {}
      assert.deepEqual([to, contact?.phone], ['+14155550101', '+14155550100'])
    })

    it('and asks only a placeholder, and no copy of another type, whose a message is', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const image = { type: 'image', text: undefined, image: { id: '7' } }
      for (const fields of [{ from: undefined }, image]) {
        await store.insert([intakeWith(messages(aText({ id: 'p', ...fields })))])
      }
      const { from, contact } = (await store.find('p'))?.message ?? {}
      assert.deepEqual([from, contact], ['', null])
      assert.deepEqual((await store.conversations({ limit: 9 })).conversations, [])
    })

    it('and counts a message whose person is told later for when it was', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const [one, other] = ['14155550200', '14155550300'] as const
      const media = { id: 'p', from: '14155550101', text: undefined }
      const image = { id: '7', caption: 'View' }
      const placeholder = aText({ ...media, type: 'media_placeholder', ...at(9) })
      await store.insert([
        intakeWith(change({ messages: [aText({ ...media, type: 'image', image })] }, 'history')),
        intakeWith(messages(aText({ from: other, ...at(5) }))),
      ])
      const history = [{ threads: [{ id: one, messages: [placeholder] }] }]
      await store.insert([intakeWith(change({ history }, 'history'))])
      const { conversations } = await store.conversations({ limit: 9 })
      assert.deepEqual(
        conversations.map(({ contact }) => contact.key),
        [`+${other}`, `+${one}`],
      )
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
  })
}
