import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MessageStore } from '../../src/app/store/store.ts'
import { anEdit, aRevocation, aStatus, aText, at, change } from '../support/cloud-api.ts'
import { messages } from '../support/cloud-changes.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { finalStateOf } from '../support/final-state.ts'
import { type NewPlace, usePlace } from './store-place.ts'

type Fields = Readonly<Record<string, unknown>>
type Seen = Awaited<ReturnType<typeof finalStateOf>>

const PHONE = '14155550200'
const NEW_PHONE = '14155550777'

/** A message, whose id says who it is from and when. */
const said = (second: number, from: { from?: string; from_user_id?: string }, profile?: Fields) =>
  change({
    messages: [{ ...aText({ id: `m${second}`, ...at(second) }), from: undefined, ...from }],
    ...(profile === undefined
      ? {}
      : { contacts: [{ wa_id: from.from, user_id: from.from_user_id, profile }] }),
  })
const newNumber = (second: number, from: { from: string; from_user_id?: string }) => {
  const system = { type: 'user_changed_number', wa_id: NEW_PHONE, body: 'moved' }
  const item = { id: `s${second}`, ...at(second), type: 'system', system, ...from }
  return change({ messages: [item] })
}
const newId = (second: number, previous: string, current: string) =>
  change({ user_id_update: [{ user_id: { previous, current }, ...at(second) }] }, 'user_id_update')
const sent = (second: number, more: Fields) =>
  change({ statuses: [aStatus('sent', 'sent', { ...at(second), ...more })] })
const inHistory = (value: Fields) => change(value, 'history')
const ofHistory = (fields: Fields) => aText({ id: 'h', from: '14155550101', ...at(1), ...fields })
const media = (fields: Fields) =>
  ofHistory({ type: 'image', text: undefined, image: { id: '7', caption: 'View' }, ...fields })
const threadOf = (...items: Fields[]) =>
  inHistory({ history: [{ threads: [{ id: PHONE, messages: items }] }] })
const placeholder = ofHistory({ type: 'media_placeholder', text: undefined })

const editOfOne = (id: string) => messages(anEdit('m1', `Edit ${id}`, { id, ...at(2) }))
const revocationOfOne = (id: string) => messages(aRevocation('m1', { id, ...at(2) }))

type Scene = {
  readonly what: string
  readonly items: readonly Fields[]
  /** What is there in the end, or a part of it. */
  readonly expected: (seen: Seen) => unknown
}

const person = (phone: string | null, userId: string | null, count: number) => ({
  ...{ phone: phone === null ? null : `+${phone}`, userId, count },
})
const peopleIn = ({ people }: Seen) =>
  people.map(({ contact, messages: count }) => ({
    ...{ phone: contact.phone, userId: contact.userId, count },
  }))
const isOnly = (phone: string | null, userId: string | null, count: number) => (seen: Seen) =>
  assert.deepEqual(peopleIn(seen), [person(phone, userId, count)])

const SCENES: readonly Scene[] = [
  {
    what: 'media of the business and the thread of a history that says whose it is',
    items: [inHistory({ messages: [media({})] }), threadOf(placeholder)],
    expected: (seen) => {
      isOnly(PHONE, null, 1)(seen)
      assert.deepEqual(
        seen.messages.map(({ to, text, direction }) => [to, text, direction]),
        [[`+${PHONE}`, 'View', 'outbound']],
      )
    },
  },
  {
    what: 'the same, edited meanwhile',
    items: [
      inHistory({ messages: [media({})] }),
      threadOf(placeholder),
      change({
        messages: [
          aText({
            ...{ id: 'e', ...at(2), type: 'edit', text: undefined },
            edit: {
              original_message_id: 'h',
              message: { type: 'image', image: { caption: 'Lake' } },
            },
          }),
        ],
      }),
    ],
    expected: ({ details }) =>
      assert.deepEqual(
        details.map((detail) => [detail?.message.text, detail?.originalText]),
        [['Lake', 'View']],
      ),
  },
  {
    what: 'edits and revocations of one moment',
    items: [said(1, { from: PHONE }), ...['e2', 'e10'].map(editOfOne), revocationOfOne('r1')],
    expected: ({ details }) =>
      assert.deepEqual(
        details.map((detail) => detail?.events.map(({ key }) => key)),
        [['e10', 'e2', 'r1']],
      ),
  },
  {
    what: 'a new number of somebody whose number was not known',
    items: [
      newNumber(12, { from: PHONE, from_user_id: 'US.2' }),
      said(30, { from_user_id: 'US.2' }),
    ],
    expected: isOnly(NEW_PHONE, 'US.2', 2),
  },
  {
    what: 'the same, and a number that was used between',
    items: [
      newNumber(12, { from: PHONE, from_user_id: 'US.2' }),
      said(20, { from: '14155550888', from_user_id: 'US.2' }),
      said(30, { from_user_id: 'US.2' }),
    ],
    expected: isOnly('14155550888', 'US.2', 3),
  },
  {
    what: 'a new number, and a message from it with a profile',
    items: [
      newNumber(12, { from: PHONE, from_user_id: 'US.2' }),
      said(18, { from: NEW_PHONE }, { name: 'Bob' }),
    ],
    expected: isOnly(NEW_PHONE, 'US.2', 2),
  },
  {
    what: 'a new number without an id, between messages with one',
    items: [
      said(2, { from: PHONE, from_user_id: 'US.1' }),
      newNumber(10, { from: PHONE }),
      said(20, { from: NEW_PHONE, from_user_id: 'US.1b' }),
    ],
    expected: isOnly(NEW_PHONE, 'US.1b', 3),
  },
  {
    what: 'a new number without an id: none that is older is the id of now',
    items: [said(2, { from: PHONE, from_user_id: 'US.1' }), newNumber(10, { from: PHONE })],
    expected: isOnly(NEW_PHONE, null, 2),
  },
  {
    what: 'somebody known by a number and by an id, of whom an event says that they are one',
    items: [
      said(2, { from: PHONE }),
      said(3, { from_user_id: 'US.1' }),
      change({
        messages: [
          {
            ...{ id: 's9', ...at(9), type: 'system', from: PHONE },
            system: { type: 'user_changed_user_id', user_id: 'US.1', body: 'changed' },
          },
        ],
      }),
    ],
    expected: isOnly(PHONE, 'US.1', 3),
  },
  {
    what: 'an id that was seen again after a new number without one',
    items: [
      said(2, { from: PHONE, from_user_id: 'US.1' }),
      newNumber(10, { from: PHONE }),
      said(12, { from_user_id: 'US.1' }),
    ],
    expected: isOnly(NEW_PHONE, 'US.1', 3),
  },
  {
    what: 'a new id without a number',
    items: [said(2, { from: PHONE, from_user_id: 'US.1' }), newId(5, 'US.1', 'US.9')],
    expected: isOnly(PHONE, 'US.9', 1),
  },
  {
    what: 'a name and a username that were said apart',
    items: [
      said(3, { from: PHONE }, { name: 'A', username: 'first' }),
      said(5, { from: PHONE }, { username: 'second' }),
      said(10, { from: PHONE }, { name: 'B' }),
    ],
    expected: ({ people }) =>
      assert.deepEqual(
        people.map(({ contact }) => [contact.name, contact.username]),
        [['B', 'second']],
      ),
  },
  {
    what: 'a status that is repeated with another time, and says more',
    items: [
      sent(30, { recipient_id: undefined }),
      sent(10, { pricing: { billable: true } }),
      sent(20, { errors: [{ code: 1 }] }),
    ],
    expected: (seen) => {
      const [event] = seen.events.map((json) => JSON.parse(json))
      assert.equal(seen.events.length, 1)
      assert.equal(event.ts, '2025-01-15T10:00:10Z')
      assert.deepEqual(event.data.pricing, { billable: true })
      assert.equal(event.data.timestamp, at(10).timestamp)
      assert.equal(event.contact.phone, '+14155550100')
    },
  },
  {
    what: 'a status that is repeated with another time, of which the earliest names nobody',
    items: [sent(20, {}), sent(10, { recipient_id: undefined })],
    expected: ({ events }) =>
      assert.deepEqual(
        events.map((json) => JSON.parse(json).contact),
        [null],
      ),
  },
]

/** What is there in the end, whichever came first. */
export function anyOrderContract(newPlace: NewPlace): void {
  describe('comes to the same in every order of', () => {
    for (const { what, items, expected } of SCENES) {
      it(what, async (test) => {
        const first = await stateAfter(items, await (await usePlace(test, newPlace)).open())
        expected(first)
        for (const order of permutationsOf(items).slice(1)) {
          const seen = await stateAfter(order, await (await usePlace(test, newPlace)).open())
          const places = order.map((item) => items.indexOf(item))
          assert.deepEqual(seen, first, `order ${places.join(', ')}`)
        }
      })
    }
  })
}

async function stateAfter(items: readonly Fields[], store: MessageStore): Promise<Seen> {
  for (const item of items) await store.insert([intakeWith(item)])
  const seen = await finalStateOf(store)
  // Again, as what got no answer is sent.
  for (const item of items) await store.insert([intakeWith(item)])
  assert.deepEqual(await finalStateOf(store), seen)
  await store.close()
  return seen
}

function permutationsOf<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) =>
    permutationsOf(items.toSpliced(i, 1)).map((rest) => [item, ...rest]),
  )
}
