import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TrafficOptions, trafficOf } from '../../../src/app/cli/simulate/traffic.ts'
import { parseCloudApi } from '../../../src/app/receive/cloud-api.ts'

const START = Date.UTC(2025, 0, 15, 10)
const OPTIONS: TrafficOptions = {
  ...{ run: 'abc', count: 3000, startMs: START, batch: 10 },
  ...{ redeliveries: 0.1, reordered: 0.1, noPhone: 0.3, odd: 0.03 },
}
const WITHOUT = { redeliveries: 0, reordered: 0, noPhone: 0, odd: 0 }

const traffic = (options: Partial<TrafficOptions> = {}) => trafficOf({ ...OPTIONS, ...options })

function eventsIn(bodies: readonly string[]) {
  return bodies.flatMap((body) => parseCloudApi(Buffer.from(body), START))
}

test('the same run gives the same bytes, another one others', () => {
  assert.deepEqual(traffic().bodies, traffic().bodies)
  assert.notDeepEqual(traffic({ run: 'abd' }).bodies, traffic().bodies)
})

test('bodies are written as Meta writes them', () => {
  for (const body of traffic({ count: 500 }).bodies) {
    assert.match(body, /^[\x20-\x7e]+$/)
    assert.doesNotMatch(body, /[^\\]\//)
    JSON.parse(body)
  }
})

test('all types of messages, statuses and notices come', () => {
  const events = eventsIn(traffic().bodies)
  const types = new Set(events.flatMap((event) => (event.kind === 'message' ? [event.type] : [])))
  for (const type of [
    ...['text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contacts'],
    ...['interactive', 'button', 'reaction', 'order', 'system', 'unsupported', 'request_welcome'],
  ]) {
    assert.ok(types.has(type), type)
  }
  const statuses = new Set(events.flatMap((each) => (each.kind === 'status' ? [each.status] : [])))
  assert.deepEqual([...statuses].sort(), ['delivered', 'failed', 'played', 'read', 'sent'])
  const kinds = new Set(events.map(({ kind }) => kind))
  for (const kind of ['edit', 'revoke', 'call', 'group', 'template', 'account', 'error']) {
    assert.ok([...kinds].includes(kind as never), kind)
  }
})

test('what is expected is what is in the bodies, each once', () => {
  const { bodies, expectation } = traffic({ redeliveries: 0.5, reordered: 0.5 })
  const events = eventsIn(bodies)
  const messages = new Set(events.flatMap((e) => (e.kind === 'message' ? [e.messageId] : [])))
  assert.deepEqual(messages, new Set(expectation.messages.keys()))
  const statuses = events.flatMap((e) =>
    e.kind === 'status' ? [`${e.messageId} ${e.status}`] : [],
  )
  assert.deepEqual(new Set(statuses), expectation.allStatuses())
  assert.ok(statuses.length > expectation.allStatuses().size, 'nothing came twice')
})

test('a share of none leaves an oddity out, one of all makes everything odd', () => {
  const plain = traffic({ ...WITHOUT, count: 1000 })
  const events = eventsIn(plain.bodies)
  assert.equal(events.length, plain.expectation.total)
  assert.ok(events.every(({ kind }) => kind !== 'unknown'))
  assert.ok(events.every((e) => e.kind !== 'message' || e.from.startsWith('+')))
  const odd = eventsIn(traffic({ ...WITHOUT, odd: 1, count: 200 }).bodies)
  assert.ok(odd.every(({ kind }) => kind === 'unknown'))
  const hidden = eventsIn(traffic({ ...WITHOUT, noPhone: 1, count: 500 }).bodies)
  assert.ok(hidden.every((e) => e.kind !== 'message' || !e.from.startsWith('+44')))
})

test('a batch has no more items than it may', () => {
  const sizes = traffic({ ...WITHOUT, batch: 3 }).bodies.map((body) => eventsIn([body]).length)
  assert.equal(Math.max(...sizes), 3)
  assert.ok(traffic({ ...WITHOUT, batch: 1 }).bodies.every((body) => eventsIn([body]).length === 1))
})
