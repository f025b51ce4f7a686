import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fold } from '../../src/app/model/fold.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aMessage, insertAll, sendAll, shownPage } from '../support/a-message.ts'
import { modelPage, modelStats } from '../support/message-model.ts'
import { repeatedTexts } from './corpus.ts'
import { type NewPlace, usePlace } from './store-place.ts'

const ALL = { filter: {}, order: 'asc', limit: 100, offset: 0 } as const

/** What a store is from its opening to its end, alone and beside another on the same data. */
export function lifecycleContract(newPlace: NewPlace): void {
  describe('lives', () => {
    it('from one start to the next with all it stored, when its data outlive it', async (test) => {
      const place = await usePlace(test, newPlace)
      const messages = repeatedTexts(40)
      const first = await place.open()
      await insertAll(first, messages)
      await first.close()
      const second = await place.open()
      const kept = place.persistent ? messages : []
      assert.deepEqual(shownPage(await second.page(ALL)), modelPage(kept, ALL))
      assert.deepEqual(await second.stats(), modelStats(kept))
    })

    it('and answers a probe and tells its size', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      await store.probe()
      assert.ok((await store.sizeBytes()) > 0)
    })

    it('until it is closed, once or more often, which is no failure', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      await Promise.all([store.close(), store.close()])
      await store.close()
      await assert.rejects(insertAll(store, [aMessage()]))
      await assert.rejects(store.page(ALL))
      await assert.rejects(store.probe())
      assert.equal(await Promise.race([store.failed, 'no failure']), 'no failure')
    })

    it('and finishes what was begun when it is closed', async (test) => {
      const place = await usePlace(test, newPlace)
      const messages = repeatedTexts(100)
      const store = await place.open()
      const inserting = insertAll(store, messages)
      const reading = store.stats()
      await store.close()
      assert.ok((await inserting).every(({ kind }) => kind === 'created'))
      await reading
      if (!place.persistent) return
      const { totalMessages } = await (await place.open()).stats()
      assert.equal(totalMessages, 100)
    })

    it('beside another on the same data: 50 copies in flight over both are one message', async (test) => {
      const place = await usePlace(test, newPlace)
      if (!place.persistent) return
      const stores = await Promise.all([place.open(), place.open()])
      for (let round = 0; round < 5; round++) {
        const copies = Array.from({ length: 50 }, () => aMessage({ messageId: `copy-${round}` }))
        const kinds = await inTurns(stores, copies)
        assert.equal(kinds.filter((kind) => kind === 'created').length, 1)
        assert.equal(kinds.filter((kind) => kind === 'duplicate').length, 49)
      }
      for (const store of stores) assert.equal((await store.stats()).totalMessages, 5)
    })

    it('beside another on the same data: both list, find and count what either stored', async (test) => {
      const place = await usePlace(test, newPlace)
      if (!place.persistent) return
      const stores = await Promise.all([place.open(), place.open()])
      const messages = repeatedTexts(90)
      const kinds = await inTurns(stores, messages)
      assert.ok(kinds.every((kind) => kind === 'created'))
      for (const store of stores) {
        assert.deepEqual(shownPage(await store.page(ALL)), modelPage(messages, ALL))
        assert.deepEqual(await store.stats(), modelStats(messages))
        const search = { ...ALL, filter: { search: fold('hello') } }
        assert.deepEqual(shownPage(await store.page(search)), modelPage(messages, search))
      }
    })
  })
}

/** Sends each message by itself, all at once, through one store after the other. */
async function inTurns(
  stores: readonly MessageStore[],
  messages: ReturnType<typeof repeatedTexts>,
): Promise<(string | undefined)[]> {
  const inserted = await Promise.all(
    messages.map((message, i) => {
      const store = stores[i % stores.length]
      return store === undefined ? [] : sendAll(store, [message])
    }),
  )
  return inserted.map(([outcome]) => outcome?.kind)
}
