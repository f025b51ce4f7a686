import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Intake, SequenceEntry } from '../../src/app/model/event.ts'
import type { Message, Order, Position } from '../../src/app/model/message.ts'
import { parseCloudApi } from '../../src/app/receive/cloud-api.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aText, at, batch, change } from '../support/cloud-api.ts'
import { ARRIVAL } from '../support/cloud-intake.ts'
import { type NewPlace, useStore } from './store-place.ts'

/** What a page may hold, in bytes; one entry may be larger alone. */
const MOST = 8 * 1024 * 1024
const MIB = 1024 * 1024
/** Of texts, in bytes. */
const SIZES = [3 * MIB, 10, 9 * MIB, 20_000, 5 * MIB, 15_000]

/** The largest has fewer characters than bytes. */
function lettersOf(size: number): string {
  return size > MOST ? 'ä'.repeat(size / 2) : 'a'.repeat(size)
}

/** Of every size a text, a message of an unknown type and an event, each message of its own person. */
const CHANGES = SIZES.flatMap((size, i) => {
  const { timestamp } = at(i)
  const letters = lettersOf(size)
  const odd = { ...{ timestamp, text: undefined }, type: 'hologram', hologram: letters }
  return [
    change({ messages: [aText({ from: `1415555020${i}`, timestamp, text: { body: letters } })] }),
    change({ messages: [aText({ from: `1415555030${i}`, ...odd })] }),
    change({ x: letters }, 'brand_new_field'),
  ]
})

/** Its body has every character as it is. */
function intakeOf(each: (typeof CHANGES)[number]): Intake {
  const body = Buffer.from(JSON.stringify(batch(each)))
  const events = parseCloudApi(body, ARRIVAL)
  return { provider: 'cloud-api', body, headers: {}, receivedAt: ARRIVAL, events }
}

function bytesOf({ text, content }: Message): number {
  return Buffer.byteLength(text ?? '') + Buffer.byteLength(JSON.stringify(content ?? ''))
}

function sizeOf(entry: SequenceEntry): number {
  if (entry.kind === 'message') return bytesOf(entry.message)
  return Buffer.byteLength(JSON.stringify(entry.event.data))
}

type Pages<Item> = readonly (readonly Item[])[]

/** Every page has something, and as much as fits. */
function assertFull<Item>(pages: Pages<Item>, size: (item: Item) => number): void {
  assert.ok(pages.length > 1)
  const total = (items: readonly Item[]) => items.reduce((sum, item) => sum + size(item), 0)
  for (const [i, page] of pages.entries()) {
    const [first] = pages[i + 1] ?? []
    assert.ok(page.length > 0)
    assert.ok(page.length === 1 || total(page) <= MOST + 100 * page.length, String(total(page)))
    if (first !== undefined) assert.ok(total(page) + size(first) > MOST, `page ${i} has room`)
  }
}

/** Lists of what is large are read in pages that are not. */
export function largePageContract(newPlace: NewPlace): void {
  describe('ends a page that would be too large', () => {
    const store = useStore(newPlace)

    before(async () => {
      for (const each of CHANGES) await store().insert([intakeOf(each)])
    })

    sequencePages(store)
    messagePages(store)

    it('of people, and goes on behind it', async () => {
      const pages: Message[][] = []
      let next: Awaited<ReturnType<MessageStore['conversations']>>['next'] = null
      do {
        const page = await store().conversations({ limit: 100, ...(next && { after: next }) })
        pages.push(page.conversations.map(({ last }) => last))
        next = page.next
      } while (next !== null)
      assertFull(pages, bytesOf)
      const people = pages.flat().map(({ contact }) => contact?.key)
      assert.equal(new Set(people).size, 2 * SIZES.length)
      assert.equal(people.length, 2 * SIZES.length)
    })
  })
}

function sequencePages(store: () => MessageStore): void {
  const walk = async (filter: Parameters<MessageStore['eventsAfter']>[0]['filter']) => {
    const pages: SequenceEntry[][] = []
    let after = 0
    for (;;) {
      const page = await store().eventsAfter({ filter, after, limit: 1000 })
      if (page.entries.length === 0) return pages
      pages.push([...page.entries])
      after = page.next
      assert.equal(page.more, after < page.last)
    }
  }

  it('of the sequence, and goes on behind it with what was left out', async () => {
    const pages = await walk({})
    assertFull(pages, sizeOf)
    const entries = pages.flat()
    assert.deepEqual(
      entries.map((entry) => (entry.kind === 'message' ? entry.message.seq : entry.event.seq)),
      CHANGES.map((_, i) => i + 1),
    )
    for (const [i, size] of SIZES.entries()) {
      const letters = lettersOf(size)
      const [text, odd, event] = entries.slice(3 * i, 3 * i + 3)
      assert.ok(text?.kind === 'message' && text.message.text === letters)
      assert.ok(odd?.kind === 'message' && odd.message.content?.raw)
      assert.equal((odd.message.content.raw as Record<string, unknown>)['hologram'], letters)
      assert.ok(event?.kind === 'event')
      assert.ok(JSON.stringify(event.event.data).includes(letters))
    }
  })

  it('of some of the sequence alike', async () => {
    for (const kinds of [['message'], ['unknown']] as const) {
      const pages = await walk({ kinds })
      assertFull(pages, sizeOf)
      assert.equal(pages.flat().length, kinds[0] === 'message' ? 2 * SIZES.length : SIZES.length)
    }
  })
}

function messagePages(store: () => MessageStore): void {
  const found = SIZES.filter((size) => lettersOf(size).startsWith('a'))
  const walk = async (search: string | undefined, order: Order) => {
    const pages: Message[][] = []
    const filter = search === undefined ? {} : { search }
    let next: Position | null = null
    do {
      const request = { filter, order, limit: 100, offset: 0, ...(next && { after: next }) }
      const page = await store().page(request)
      assert.equal(page.total, search === undefined ? 2 * SIZES.length : found.length)
      pages.push([...page.messages])
      next = page.next
    } while (next !== null)
    return pages
  }

  for (const search of [undefined, 'aaa']) {
    const what = search === undefined ? 'messages' : 'what is found'
    it(`of ${what}, and goes on behind it with what was left out`, async () => {
      const pages = await walk(search, 'asc')
      assertFull(pages, bytesOf)
      const backwards = await walk(search, 'desc')
      assertFull(backwards, bytesOf)
      assert.deepEqual(backwards.flat().toReversed(), pages.flat())
      const texts = pages.flat().flatMap(({ text }) => text ?? [])
      assert.deepEqual(
        texts.map(({ length }) => length),
        (search === undefined ? SIZES : found).map((size) => lettersOf(size).length),
      )
    })
  }

  it('of messages, and goes on where it ended by an offset too', async () => {
    const ids = (await walk(undefined, 'asc')).flat().map(({ messageId }) => messageId)
    const found: string[] = []
    while (found.length < ids.length) {
      const request = { filter: {}, order: 'asc', limit: 100, offset: found.length } as const
      const { messages } = await store().page(request)
      assert.ok(messages.length > 0)
      found.push(...messages.map(({ messageId }) => messageId))
    }
    assert.deepEqual(found, ids)
  })
}
