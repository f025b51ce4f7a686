import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { openServer } from '../support/http-server.ts'
import { flatBody } from '../support/signed.ts'

const server = await openServer({ after })

const statsOf = async ({ get } = server) => {
  const answer = await get('/stats')
  assert.equal(answer.statusCode, 200)
  return answer.json<unknown>()
}

test('an empty store has zeros, no senders and nulls', async () => {
  assert.deepEqual(await statsOf(), {
    total_messages: 0,
    senders_count: 0,
    messages_per_sender: [],
    first_message_ts: null,
    last_message_ts: null,
    messages_by_type: {},
    messages_by_day: {},
    messages_by_status: {},
    events_by_kind: {},
  })
})

test('messages are counted once each, by sender; the outermost timestamps are as they were sent', async () => {
  const bodies = [
    flatBody({ message_id: 'c', from: '+4915100000002', ts: '2025-01-15T10:00:00.50Z' }),
    flatBody({ message_id: 'a', from: '+4915100000001', ts: '2025-01-15T10:00:00.000Z' }),
    flatBody({ message_id: 'b', from: '+4915100000001', ts: '2025-01-15T10:00:00.5Z' }),
  ]
  for (const body of bodies) await server.post(body)
  for (const body of bodies) await server.post({ ...body, ts: '2030-01-01T00:00:00Z' })
  await server.post(flatBody({ ts: 'refused' }))
  await server.post(flatBody(), { secret: 'another' })
  assert.deepEqual(await statsOf(), {
    total_messages: 3,
    senders_count: 2,
    messages_per_sender: [
      { from: '+4915100000001', count: 2 },
      { from: '+4915100000002', count: 1 },
    ],
    first_message_ts: '2025-01-15T10:00:00.000Z',
    // The same instant as the one of "b", and behind it by its id.
    last_message_ts: '2025-01-15T10:00:00.50Z',
    messages_by_type: { text: 3 },
    messages_by_day: { '2025-01-15': 3 },
    messages_by_status: {},
    events_by_kind: { message: 3 },
  })
})

test('the ten busiest senders are listed: by count descending, then by number', async (t) => {
  const property = fc.asyncProperty(
    fc.array(fc.integer({ min: 10, max: 30 }), { maxLength: 60 }),
    async (senders) => {
      const fresh = await openServer(t)
      const all = senders.map((sender) => fresh.post(flatBody({ from: `+${sender}` })))
      await Promise.all(all)
      const counts = Map.groupBy(senders, (sender) => `+${sender}`)
      const expected = [...counts]
        .map(([from, { length: count }]) => ({ from, count }))
        .sort((a, b) => b.count - a.count || (a.from < b.from ? -1 : 1))
      const stats = (await statsOf(fresh)) as Record<string, unknown>
      assert.deepEqual(stats['messages_per_sender'], expected.slice(0, 10))
      assert.equal(stats['senders_count'], expected.length)
      assert.equal(stats['total_messages'], senders.length)
    },
  )
  await fc.assert(property, { numRuns: 4 })
})
