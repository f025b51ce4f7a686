import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fold } from '../../src/app/model/fold.ts'
import type { MessageFilter, Order } from '../../src/app/model/message.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { type AMessage, insertAll, shownPage } from '../support/a-message.ts'
import { modelPage } from '../support/message-model.ts'
import { repeatedTexts, SEARCHES, someFilter, someMessages } from './corpus.ts'
import { type NewPlace, usePlace, useStore } from './store-place.ts'

/** More than an index takes in at a time, so that a search right after a commit meets its lag. */
const MANY = 1700
/** A search is asked this often while an index catches up. */
const ROUNDS = 4

async function assertFinds(
  store: MessageStore,
  messages: readonly AMessage[],
  filter: MessageFilter,
  order: Order = 'asc',
): Promise<void> {
  const request = { filter, order, limit: 100, offset: 0 }
  assert.deepEqual(shownPage(await store.page(request)), modelPage(messages, request))
}

/** Filters and searches find exactly what a plain scan finds, at every moment. */
export function searchContract(newPlace: NewPlace): void {
  describe('finds exactly what a plain scan finds', () => {
    const store = useStore(newPlace)
    const stored: AMessage[] = []

    it('for any filters together, right after any commit', async () => {
      const someFilters = fc.array(someFilter, { minLength: 1, maxLength: 10 })
      const someOrder = fc.constantFrom<Order>('asc', 'desc')
      await fc.assert(
        fc.asyncProperty(someMessages, someFilters, someOrder, async (batch, filters, order) => {
          await insertAll(store(), batch)
          // A failing case is run again while it is shrunk: those messages are duplicates then.
          const known = new Set(stored.map(({ messageId }) => messageId))
          stored.push(...batch.filter(({ messageId }) => !known.has(messageId)))
          for (const filter of filters) await assertFinds(store(), stored, filter, order)
        }),
        { numRuns: 40 },
      )
    })

    it('for any filters together, on what was stored long ago', async () => {
      await fc.assert(
        fc.asyncProperty(someFilter, (filter) => assertFinds(store(), stored, filter)),
        { numRuns: 100 },
      )
    })

    it('for every search, from a large commit on until an index would have caught up', async (test) => {
      const place = await usePlace(test, newPlace)
      const store = await place.open()
      const messages = repeatedTexts(MANY)
      await insertAll(store, messages)
      const searches = new Set(SEARCHES.map(fold))
      const expected = [...searches].map((search) => {
        const request = { filter: { search }, order: 'asc', limit: 3, offset: 0 } as const
        return { request, page: modelPage(messages, request) }
      })
      for (let round = 0; round < ROUNDS; round++) {
        for (const { request, page } of expected) {
          assert.deepEqual(shownPage(await store.page(request)), page, `round ${round}`)
        }
      }
    })

    it('for every search after a start, if the messages are still there', async (test) => {
      const place = await usePlace(test, newPlace)
      const messages = repeatedTexts(100)
      const first = await place.open()
      await insertAll(first, messages)
      await first.close()
      const second = await place.open()
      const kept = place.persistent ? messages : []
      for (const search of SEARCHES) await assertFinds(second, kept, { search: fold(search) })
    })
  })
}
