import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { openServer } from '../support/http-server.ts'
import { flatBody } from '../support/signed.ts'

type List = {
  data: { message_id: string; ts: string }[]
  total: number
  limit: number
  offset: number
  next_cursor: string | null
}

const COUNT = 120
const server = await openServer({ after })
// Five messages share each instant, and ids rise against the order in which they arrive.
const bodies = Array.from({ length: COUNT }, (_, i) =>
  flatBody({
    message_id: `id-${String(COUNT - i).padStart(3, '0')}`,
    from: i % 3 === 0 ? '+4915100000001' : '+4915100000002',
    ts: `2025-01-15T10:00:${String(Math.floor(i / 5)).padStart(2, '0')}Z`,
    text: i % 2 === 0 ? 'even' : 'odd',
  }),
)
await Promise.all(bodies.map((body) => server.post(body)))
const ordered = bodies
  .map(({ message_id, ts }) => ({ message_id, ts }))
  .sort((a, b) => (a.ts + a.message_id < b.ts + b.message_id ? -1 : 1))
  .map(({ message_id }) => message_id)

async function page(query: string): Promise<List> {
  const answer = await server.get(`/messages?${query}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json<List>()
}

const idsOf = ({ data }: List) => data.map(({ message_id }) => message_id)

/** All ids on the pages that `next_cursor` leads through. */
async function walk(query: string): Promise<string[]> {
  const ids: string[] = []
  let list = await page(query)
  ids.push(...idsOf(list))
  while (list.next_cursor !== null) {
    list = await page(`${query}&cursor=${list.next_cursor}`)
    ids.push(...idsOf(list))
  }
  return ids
}

test('a page has 50 messages unless limit says otherwise, and the total counts them all', async () => {
  const list = await page('')
  assert.deepEqual(idsOf(list), ordered.slice(0, 50))
  const { total, limit, offset } = list
  assert.deepEqual({ total, limit, offset }, { total: COUNT, limit: 50, offset: 0 })
  assert.deepEqual(idsOf(await page('limit=1')), ordered.slice(0, 1))
  assert.deepEqual(idsOf(await page('limit=100')), ordered.slice(0, 100))
})

test('offset skips, and past the end there is nothing but the total', async () => {
  assert.deepEqual(idsOf(await page('offset=115')), ordered.slice(115))
  assert.deepEqual(idsOf(await page('offset=7&limit=3')), ordered.slice(7, 10))
  for (const offset of [COUNT, COUNT + 1, 999_999_999_999_999]) {
    const list = await page(`offset=${offset}`)
    assert.deepEqual(list, { data: [], total: COUNT, limit: 50, offset, next_cursor: null })
  }
})

test('next_cursor is null on the last page, also when that page is full', async () => {
  assert.equal((await page('limit=100&offset=20')).next_cursor, null)
  assert.notEqual((await page('limit=100&offset=19')).next_cursor, null)
  const first = await page('limit=60')
  assert.equal((await page(`limit=60&cursor=${first.next_cursor}`)).next_cursor, null)
})

test('a cursor goes on behind the page it came from, also behind an offset and with another limit', async () => {
  const first = await page('limit=10&offset=5')
  const second = await page(`limit=20&cursor=${first.next_cursor}`)
  assert.deepEqual(idsOf(second), ordered.slice(15, 35))
  assert.equal(second.offset, 0)
  assert.equal(second.total, COUNT)
})

test('whatever the filters, the order and the page size, walking the cursor shows each message once', async () => {
  const filters = fc.constantFrom(
    '',
    'from=%2B4915100000001',
    'q=even',
    'since=2025-01-15T10:00:09Z',
  )
  const property = fc.asyncProperty(
    filters,
    fc.integer({ min: 7, max: 100 }),
    fc.constantFrom('asc', 'desc'),
    async (filter, limit, order) => {
      const expected = idsOf(await page(`${filter}&limit=100`))
      if (filter === '') expected.push(...ordered.slice(100))
      const walked = await walk(`${filter}&limit=${limit}&order=${order}`)
      assert.deepEqual(walked, order === 'asc' ? expected : expected.reverse())
    },
  )
  await fc.assert(property, { numRuns: 20 })
})

test('messages that arrive between two pages are shown where they belong or not at all', async (t) => {
  const growing = await openServer(t)
  const at = (second: number, message_id: string) =>
    growing.post(flatBody({ message_id, ts: `2025-01-15T10:00:0${second}Z` }))
  for (const second of [1, 3, 5, 7]) await at(second, `first-${second}`)
  const first = (await growing.get('/messages?limit=2')).json<List>()
  await at(2, 'before-the-cursor')
  await at(4, 'behind-the-cursor')
  const second = (await growing.get(`/messages?cursor=${first.next_cursor}`)).json<List>()
  assert.deepEqual(idsOf(second), ['behind-the-cursor', 'first-5', 'first-7'])
})

test('an empty store answers an empty page', async (t) => {
  const empty = await openServer(t)
  assert.deepEqual((await empty.get('/messages')).json<unknown>(), {
    data: [],
    total: 0,
    limit: 50,
    offset: 0,
    next_cursor: null,
  })
})
