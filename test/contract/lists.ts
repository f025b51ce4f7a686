import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import type {
  Message,
  MessageFilter,
  Order,
  PageRequest,
  Position,
} from '../../src/app/model/message.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aMessage, asShown, insertAll, shownPage } from '../support/a-message.ts'
import { modelPage } from '../support/message-model.ts'
import { instantOf, repeatedTexts, someFilter } from './corpus.ts'
import { type NewPlace, usePlace, useStore } from './store-place.ts'

const someOrder = fc.constantFrom<Order>('asc', 'desc')

async function idsOf(store: MessageStore, filter: MessageFilter, order: Order = 'asc') {
  const { messages } = await store.page({ filter, order, limit: 100, offset: 0 })
  return messages.map(({ messageId }) => messageId)
}

/** Lists are in order, filtered, and the same whichever way one pages through them. */
export function listContract(newPlace: NewPlace): void {
  describe('lists messages', () => {
    ordering(newPlace)
    paging(newPlace)
  })
}

function ordering(newPlace: NewPlace): void {
  it('by their instant, equal ones by the code points of their id', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const ids = ['b', 'a', 'Z', 'é', '\uffee', '\u{1f600}', 'aa', '~', '\ue000', 'A', '10', '9']
    const spellings = ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00.000Z']
    await insertAll(store, [
      aMessage({ messageId: 'late', ts: '2025-01-15T10:00:00.0000001Z' }),
      ...ids.map((messageId, i) => aMessage({ messageId, ts: spellings[i % 2] ?? '' })),
      aMessage({ messageId: 'early', ts: '2025-01-15T09:59:59.9999999Z' }),
    ])
    const tied = ['10', '9', 'A', 'Z', 'a', 'aa', 'b', '~', 'é', '\ue000', '\uffee', '\u{1f600}']
    const expected = ['early', ...tied, 'late']
    assert.deepEqual(await idsOf(store, {}), expected)
    assert.deepEqual(await idsOf(store, {}, 'desc'), expected.toReversed())
  })

  it('from an instant on and until before another, however its fraction is written', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    await insertAll(store, [
      aMessage({ messageId: 'before', ts: '2025-01-15T09:59:59.999Z' }),
      aMessage({ messageId: 'plain', ts: '2025-01-15T10:00:00Z' }),
      aMessage({ messageId: 'zeros', ts: '2025-01-15T10:00:00.000Z' }),
      aMessage({ messageId: 'after', ts: '2025-01-15T10:00:00.001Z' }),
    ])
    for (const ts of ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00.0Z']) {
      const instant = instantOf(ts)
      assert.deepEqual(await idsOf(store, { since: instant }), ['plain', 'zeros', 'after'])
      assert.deepEqual(await idsOf(store, { until: instant }), ['before'])
      assert.deepEqual(await idsOf(store, { since: instant, until: instant }), [])
    }
    const timestamps = (await store.page({ filter: {}, order: 'asc', limit: 10, offset: 0 }))
      .messages
    assert.deepEqual(
      timestamps.map(({ ts }) => ts),
      [
        '2025-01-15T09:59:59.999Z',
        '2025-01-15T10:00:00Z',
        '2025-01-15T10:00:00.000Z',
        '2025-01-15T10:00:00.001Z',
      ],
    )
  })

  it('not at all when there are none', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const nothing = { messages: [], total: 0, next: null }
    for (const filter of [{}, { from: '+1' }, { search: 'a' }, { search: 'abc' }]) {
      assert.deepEqual(
        shownPage(await store.page({ filter, order: 'asc', limit: 50, offset: 0 })),
        nothing,
      )
    }
    assert.equal(await store.find('m'), null)
  })
}

function paging(newPlace: NewPlace): void {
  describe('page by page', () => {
    const store = useStore(newPlace)
    const messages = repeatedTexts(60)

    before(async () => {
      await insertAll(store(), messages)
    })

    /** Every page along `next`, each checked against the model. */
    async function walk(request: PageRequest): Promise<Message[]> {
      const page = await store().page(request)
      assert.deepEqual(shownPage(page), modelPage(messages, request))
      if (page.next === null) return [...page.messages]
      return [...page.messages, ...(await walk({ ...request, after: page.next }))]
    }

    /** Every page by its offset, each checked against the model. */
    async function skip(request: PageRequest): Promise<Message[]> {
      const page = await store().page(request)
      assert.deepEqual(shownPage(page), modelPage(messages, request))
      if (page.messages.length === 0) return []
      const offset = request.offset + page.messages.length
      return [...page.messages, ...(await skip({ ...request, offset }))]
    }

    it('each once, by cursor and by offset alike, whatever the filter and the size', async () => {
      const someLimit = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.constantFrom(59, 60, 61, 100))
      await fc.assert(
        fc.asyncProperty(someFilter, someOrder, someLimit, async (filter, order, limit) => {
          const request = { filter, order, limit, offset: 0 }
          const whole = modelPage(messages, { ...request, limit: 100 }).messages
          assert.deepEqual((await walk(request)).map(asShown), whole)
          assert.deepEqual((await skip(request)).map(asShown), whole)
        }),
        { numRuns: 50 },
      )
    })

    it('each once, one by one', async () => {
      for (const order of ['asc', 'desc'] as const) {
        const walked = await walk({ filter: {}, order, limit: 1, offset: 0 })
        assert.equal(new Set(walked.map(({ messageId }) => messageId)).size, messages.length)
      }
    })

    it('from a cursor on with an offset counted from there', async () => {
      const { next } = await store().page({ filter: {}, order: 'asc', limit: 10, offset: 0 })
      assert.ok(next)
      await skip({ filter: {}, order: 'asc', limit: 7, offset: 3, after: next })
    })

    it('from a position that is no message', async () => {
      const after = { instant: instantOf('2025-01-15T10:00:00Z'), messageId: 't-2x', seq: 0 }
      for (const order of ['asc', 'desc'] as const) {
        await walk({ filter: {}, order, limit: 9, offset: 0, after })
      }
    })

    it('with an empty page behind the end', async () => {
      for (const offset of [60, 61, 1_000_000]) {
        assert.deepEqual(
          shownPage(await store().page({ filter: {}, order: 'asc', limit: 5, offset })),
          {
            messages: [],
            total: 60,
            next: null,
          },
        )
      }
    })
  })

  it('each of several with one id and one instant, as a message and its echo, once', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const namespaces = ['standby', 'echo', ''] as const
    for (const namespace of namespaces) {
      await insertAll(store, [{ ...aMessage({ messageId: 'same' }), namespace }])
    }
    for (const order of ['asc', 'desc'] as const) {
      const found: string[] = []
      let after: Position | undefined
      do {
        const request = { filter: {}, order, limit: 1, offset: 0 }
        const page = await store.page(after === undefined ? request : { ...request, after })
        found.push(...page.messages.map(({ namespace }) => namespace))
        after = page.next ?? undefined
      } while (after !== undefined && found.length < 9)
      assert.deepEqual(found, order === 'asc' ? namespaces : namespaces.toReversed())
    }
  })

  it('without skipping or repeating one when others arrive between two pages', async (test) => {
    const store = await (await usePlace(test, newPlace)).open()
    const at = (second: number) =>
      aMessage({ messageId: `m${second}`, ts: `2025-01-15T10:00:0${second}Z` })
    const [zero, one, two, three, four] = [0, 1, 2, 3, 4].map(at)
    assert.ok(zero && one && two && three && four)
    await insertAll(store, [zero, two, four])
    const first = await store.page({ filter: {}, order: 'asc', limit: 2, offset: 0 })
    await insertAll(store, [one, three])
    assert.ok(first.next)
    const request = { filter: {}, order: 'asc', limit: 9, offset: 0, after: first.next } as const
    const second = await store.page(request)
    const shown = [...first.messages, ...second.messages].map(({ messageId }) => messageId)
    assert.deepEqual(shown, ['m0', 'm2', 'm3', 'm4'])
    assert.equal(second.total, 5)
  })
}
