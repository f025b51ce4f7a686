import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type AMessage, aMessage, insertAll } from '../support/a-message.ts'
import { modelStats } from '../support/message-model.ts'
import { TIMESTAMPS } from './corpus.ts'
import { type NewPlace, usePlace, useStore } from './store-place.ts'

/** The counters are what a recount would find. */
export function statisticsContract(newPlace: NewPlace): void {
  describe('counts', () => {
    const store = useStore(newPlace)

    it('nothing in an empty store', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      assert.deepEqual(await store.stats(), {
        totalMessages: 0,
        sendersCount: 0,
        topSenders: [],
        firstMessageTs: null,
        lastMessageTs: null,
        messagesByType: {},
        messagesByDay: {},
        messagesByStatus: {},
        eventsByKind: {},
      })
    })

    it('the ten busiest senders, equally busy ones in the order of their numbers', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const senders = ['+9', '+10', '+2', '+33', '+4', '+55', '+6', '+77', '+8', '+11', '+12', '+1']
      const busiest = '+33'
      await insertAll(
        store,
        [...senders, busiest].map((from) => aMessage({ from })),
      )
      const { topSenders, sendersCount } = await store.stats()
      const others = ['+1', '+10', '+11', '+12', '+2', '+4', '+55', '+6', '+77']
      assert.equal(sendersCount, 12)
      assert.deepEqual(topSenders, [
        { from: busiest, count: 2 },
        ...others.map((from) => ({ from, count: 1 })),
      ])
    })

    it('what a recount counts, after any batches with any duplicates', async () => {
      const arrived: AMessage[] = []
      const someMessage = fc
        .record({
          messageId: fc.nat(300).map((id) => `m${id}`),
          from: fc.nat(14).map((i) => `+1415555${1000 + i}`),
          ts: fc.constantFrom(...TIMESTAMPS),
        })
        .map(aMessage)
      await fc.assert(
        fc.asyncProperty(fc.array(someMessage, { maxLength: 30 }), async (batch) => {
          await insertAll(store(), batch)
          arrived.push(...batch)
          const stats = await store().stats()
          assert.deepEqual(stats, modelStats(arrived))
          for (const { from, count } of stats.topSenders) {
            const page = await store().page({ filter: { from }, order: 'asc', limit: 1, offset: 0 })
            assert.equal(page.total, count)
          }
        }),
        { numRuns: 30 },
      )
    })

    it('what came in many batches at the same moment', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const batches = Array.from({ length: 20 }, (_, i) =>
        ['+10', '+11', `+2${i}`].map((from) => aMessage({ from })),
      )
      await Promise.all(batches.map((batch) => insertAll(store, batch)))
      const { totalMessages, sendersCount, topSenders } = await store.stats()
      assert.deepEqual([totalMessages, sendersCount], [60, 22])
      assert.deepEqual(topSenders.slice(0, 2), [
        { from: '+10', count: 20 },
        { from: '+11', count: 20 },
      ])
    })
  })
}
