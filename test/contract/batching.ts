// Order, repetition and division into batches make no difference to what is stored.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aStatus, aText, change, type Fields } from '../support/cloud-api.ts'
import { edited, messages, revoked, statuses } from '../support/cloud-changes.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { type NewPlace, usePlace } from './store-place.ts'

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

/** The same events, however they arrive. */
export function batchingContract(newPlace: NewPlace): void {
  describe('keeps events', () => {
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
  })
}
