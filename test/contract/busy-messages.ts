import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Intake, SequenceEntry } from '../../src/app/model/event.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { anEdit, aStatus, aText, at, change } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { type NewPlace, useStore } from './store-place.ts'

/** Of each list what an answer holds at most. */
const MOST = 1000
const MIB = 1024 * 1024

type Item = ReturnType<typeof aText>

const statusesOf = (...statuses: Item[]) => intakeWith(change({ statuses }))
const messagesOf = (...messages: Item[]) => intakeWith(change({ messages }))

/** Numbers from 1 on. */
function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

function aReaction(id: string, to: string, second: number, from: string): Item {
  const reaction = { message_id: to, emoji: '👍' }
  return aText({ id, from, ...at(second), type: 'reaction', text: undefined, reaction })
}

function anEditOf(id: string, to: string, second: number): Item {
  return anEdit(id, to, { id: to, ...at(second) })
}

/** So many statuses, edits and reactions of people, and twice as many reactions of one of them. */
function happenings(id: string, count: number): Intake[] {
  const statuses = numbers(count).map((i) =>
    aStatus(id, 'read', { ...at(i), recipient_participant_id: `participant-${i}` }),
  )
  const person = (i: number) => String(14155560000 + i)
  return [
    messagesOf(aText({ id })),
    statusesOf(...statuses),
    messagesOf(...numbers(count).map((i) => anEditOf(id, `${id}-edit-${i}`, i))),
    messagesOf(...numbers(count).map((i) => aReaction(`${id}-by-${i}`, id, i, person(i)))),
    messagesOf(
      ...numbers(2 * count).map((i) => aReaction(`${id}-again-${i}`, id, i, person(count))),
    ),
  ]
}

function aboutWhat(entry: SequenceEntry): string {
  return entry.kind === 'message' ? entry.message.messageId : (entry.event.key ?? '')
}

/** One message is answered with a bounded part of what happened to it, and the sequence has the rest. */
export function busyMessageContract(newPlace: NewPlace): void {
  describe('tells what happened to one message', () => {
    const store = useStore(newPlace)

    before(async () => {
      const all = [...happenings('few', 3), ...happenings('most', MOST)]
      for (const intake of [...all, ...happenings('more', MOST + 2)]) await store().insert([intake])
    })

    it('all of it, as long as that is not more than a thousand of each list', async () => {
      for (const [id, count] of [
        ['few', 3],
        ['most', MOST],
      ] as const) {
        const found = await store().find(id)
        assert.equal(found?.events.length, 2 * count)
        assert.equal(found.reactions.length, count)
        assert.deepEqual(found.shortened, [])
      }
    })

    it('else the latest, in their order, and says which lists are short', async () => {
      const found = await store().find('more')
      assert.ok(found)
      assert.deepEqual(found.shortened, ['statuses', 'edits', 'reactions'])
      const of = (kind: string) => found.events.filter((event) => event.kind === kind)
      const latest = numbers(MOST).map((i) => i + 2)
      assert.deepEqual(
        of('status').map(({ participant }) => participant),
        latest.map((i) => `participant-${i}`),
      )
      assert.deepEqual(
        of('edit').map(({ key }) => key),
        latest.map((i) => `more-edit-${i}`),
      )
      assert.equal(of('edit').at(-1)?.text, found.message.text)
      assert.deepEqual(
        found.reactions.map(({ messageId }) => messageId),
        [...latest.slice(0, -1).map((i) => `more-by-${i}`), `more-again-${2 * MOST + 4}`],
      )
    })

    it('once, where somebody reacted again and again', async () => {
      const found = await store().find('few')
      assert.deepEqual(
        found?.reactions.map(({ messageId }) => messageId),
        ['few-by-1', 'few-by-2', 'few-again-6'],
      )
    })

    largeOnes(store)
    itsPartOfTheSequence(store)
  })
}

function largeOnes(store: () => MessageStore): void {
  it('as much as fits where it is large, and one at least of each list', async () => {
    const letters = 'a'.repeat(3 * MIB)
    await store().insert([messagesOf(aText({ id: 'large' }))])
    for (const i of numbers(4)) {
      const who = { recipient_participant_id: `participant-${i}` }
      await store().insert([statusesOf(aStatus('large', 'read', { ...at(i), ...who, letters }))])
    }
    await store().insert([messagesOf({ ...anEditOf('large', 'large-edit', 1), letters })])
    const found = await store().find('large')
    assert.deepEqual(
      found?.events.map(({ kind, participant }) => [kind, participant]),
      [
        ['edit', null],
        ['status', 'participant-3'],
        ['status', 'participant-4'],
      ],
    )
    assert.ok(found.events.every(({ data }) => JSON.stringify(data).includes(letters)))
    assert.deepEqual(found.shortened, ['statuses'])
  })
}

function itsPartOfTheSequence(store: () => MessageStore): void {
  const read = async (messageId: string, limit = 1000) => {
    const entries: SequenceEntry[] = []
    for (let after = 0; ; ) {
      const page = await store().eventsAfter({ filter: { messageId }, after, limit })
      if (page.entries.length === 0) return entries
      entries.push(...page.entries)
      after = page.next
    }
  }

  it('in the sequence, with the reactions to it and nothing else', async () => {
    const entries = await read('few', 5)
    assert.deepEqual(entries.map(aboutWhat), [
      'few',
      ...numbers(3).map((i) => `["few","read","participant-${i}"]`),
      ...numbers(3).map((i) => `few-edit-${i}`),
      ...numbers(3).map((i) => `few-by-${i}`),
      ...numbers(6).map((i) => `few-again-${i}`),
    ])
    assert.deepEqual(await read('few'), entries)
    assert.deepEqual(await read('nobody'), [])
    assert.deepEqual(await read('few\0'), [])
  })

  it('in the sequence, all that an answer leaves out', async () => {
    assert.equal((await read('more')).length, 1 + 5 * (MOST + 2))
    const reactions = { messageId: 'more', kinds: ['message'] } as const
    const { entries } = await store().eventsAfter({ filter: reactions, after: 0, limit: 1000 })
    assert.deepEqual(entries.slice(0, 2).map(aboutWhat), ['more', 'more-by-1'])
  })
}
