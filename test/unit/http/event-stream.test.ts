import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { EventStream } from '../../../src/app/http/event-stream.ts'
import { Unsent } from '../../../src/app/http/unsent.ts'
import type { SequenceEntry, SequencePage } from '../../../src/app/model/event.ts'
import type { Follower } from '../../../src/app/stream/hub.ts'

const MIB = 1024 * 1024

/** An entry that takes so many characters. */
function entryOf(seq: number, length = 1): SequenceEntry {
  const event = { seq, kind: 'other', receivedAt: 0, contact: null, data: 'x'.repeat(length) }
  return { kind: 'event', event } as unknown as SequenceEntry
}

/** What a reader is sent, who takes it when a test says so. */
class Reader extends Writable {
  text = ''
  /** Takes what it was sent. */
  take: (() => void) | null = null

  constructor({ slow = false } = {}) {
    super({ decodeStrings: false, highWaterMark: slow ? 1 : 1024 * MIB })
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    this.text += text
    if (this.writableHighWaterMark === 1) this.take = done
    else done()
  }
}

/** A stream of a sequence that ends at `last`; the hub takes its reader once that has read so far. */
function aStream(
  t: TestContext,
  { reader = new Reader(), last = 0, position = 0, hubAt = 0 } = {},
) {
  const unsent = new Unsent()
  const state = {
    last,
    reads: [] as number[],
    joined: [] as number[],
    left: 0,
    errors: [] as unknown[],
    fault: null as Error | null,
    page: null as SequencePage | null,
    follower: null as Follower | null,
    held: null as Promise<void> | null,
  }
  const stream = new EventStream({
    store: {
      eventsAfter: async ({ after, limit }) => {
        state.reads.push(after)
        await state.held
        if (state.fault !== null) throw state.fault
        const end = Math.min(after + limit, state.last)
        const entries = Array.from({ length: end - after }, (_, i) => entryOf(after + 1 + i))
        return state.page ?? { entries, next: end, more: end < state.last, last: state.last }
      },
    },
    hub: {
      changed: async () => {},
      join: (follower, from) => {
        if (from < hubAt) return null
        state.joined.push(from)
        state.follower = follower
        return () => {
          state.left++
        }
      },
    },
    filter: {},
    position,
    response: reader as unknown as ServerResponse,
    unsent,
    onError: (error) => state.errors.push(error),
  })
  t.after(() => stream.end())
  return { stream, reader, state, unsent }
}

const idsIn = ({ text }: Reader) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

describe('a stream of events', () => {
  it('reads part by part until the hub takes it, and sends what the hub hands it', async (t) => {
    const { stream, reader, state } = aStream(t, { last: 250, hubAt: 250 })
    await stream.run()
    assert.deepEqual([state.reads, state.joined], [[0, 100, 200], [250]])
    assert.equal(state.follower?.take([entryOf(251), entryOf(253)], 260), true)
    assert.deepEqual(idsIn(reader).slice(-3), [250, 251, 253])
    stream.beat()
    assert.equal(idsIn(reader).at(-1), 260, 'also what a filter left out was read')
  })

  it('reads nothing more for who has not taken what it was sent, and goes on when that is taken', async (t) => {
    const reader = new Reader({ slow: true })
    const { stream, state } = aStream(t, { reader, last: 200, hubAt: 200 })
    const running = stream.run()
    await nextTurn()
    assert.deepEqual(state.reads, [0])
    stream.beat()
    assert.equal(reader.writableLength, reader.text.length, 'nor is told that it lives')
    reader.take?.()
    await nextTurn()
    assert.deepEqual(state.reads, [0, 100])
    reader.take?.()
    await running
    assert.deepEqual(state.joined, [200])
  })

  it('parts from the hub when more comes than its reader takes, and reads on from where it was', async (t) => {
    const reader = new Reader({ slow: true })
    const { stream, state } = aStream(t, { reader })
    await stream.run()
    assert.equal(state.follower?.take([entryOf(1)], 1), true)
    assert.equal(state.follower?.take([], 2), true, 'what it was not sent it need not take')
    assert.equal(state.follower?.take([entryOf(3)], 3), false)
    state.last = 4
    reader.take?.()
    await nextTurn()
    assert.deepEqual(state.joined, [0, 2])
    stream.end()
    assert.equal(state.left, 1, 'it leaves the hub that it is in')
  })

  it('drops a reader that takes nothing for ten seconds', async (t) => {
    const reader = new Reader({ slow: true })
    const { stream, state } = aStream(t, { reader, last: 200, hubAt: 200 })
    const late = new AbortController()
    const timeout = t.mock.method(AbortSignal, 'timeout', () => late.signal)
    const running = stream.run()
    await nextTurn()
    assert.deepEqual(timeout.mock.calls[0]?.arguments, [10_000])
    late.abort()
    await running
    assert.deepEqual([reader.destroyed, reader.writableEnded], [true, false])
    assert.deepEqual([state.reads, state.joined], [[0], []])
  })

  it('drops a reader for whom there is no room, who has not come past what it was not sent', async (t) => {
    const { stream, reader, state, unsent } = aStream(t)
    await stream.run()
    unsent.hold(128 * MIB)
    assert.equal(state.follower?.take([entryOf(1, MIB)], 1), true)
    assert.deepEqual([reader.destroyed, reader.writableEnded, reader.text], [true, false, ''])
    assert.equal(state.left, 1)
  })

  it('drops who has read another sequence, and whom the hub loses: without a whole answer', async (t) => {
    const another = aStream(t, { position: 5, last: 4, hubAt: 9 })
    another.state.page = { entries: [], next: 5, more: false, last: 4 }
    await another.stream.run()
    const lost = aStream(t)
    await lost.stream.run()
    lost.state.follower?.lose()
    for (const { reader } of [another, lost]) {
      assert.deepEqual([reader.destroyed, reader.writableEnded, reader.text], [true, false, ''])
    }
  })

  it('gives back the room of what was taken, and the rest when it ends, however that is', async (t) => {
    for (const end of ['end', 'lose'] as const) {
      const reader = new Reader({ slow: true })
      const { stream, state, unsent } = aStream(t, { reader })
      await stream.run()
      assert.equal(state.follower?.take([entryOf(1, 65 * MIB)], 1), true)
      assert.equal(unsent.hold(64 * MIB), null)
      reader.take?.()
      await nextTurn()
      const release = unsent.hold(128 * MIB)
      assert.ok(release !== null, 'it was taken')
      release()
      assert.equal(state.follower?.take([entryOf(2, 65 * MIB)], 2), true)
      assert.equal(unsent.hold(64 * MIB), null)
      if (end === 'end') stream.end()
      else state.follower?.lose()
      assert.ok(unsent.hold(128 * MIB) !== null, end)
    }
  })

  it('keeps nothing of what was taken, however long it lasts', async (t) => {
    const { stream, state, unsent } = aStream(t)
    let released = 0
    t.mock.method(unsent, 'hold', () => () => {
      released++
    })
    await stream.run()
    assert.equal(state.follower?.take([entryOf(1)], 1), true)
    await nextTurn()
    stream.end()
    assert.equal(released, 1)
  })

  it('makes the text of what readers of one filter are handed only once', async (t) => {
    let made = 0
    const data = { toJSON: () => ++made }
    const entry = { ...entryOf(1), event: { seq: 1, receivedAt: 0, contact: null, data } }
    const entries = [entry as unknown as SequenceEntry]
    for (const _ of ['one reader', 'another']) {
      const { stream, reader, state } = aStream(t)
      await stream.run()
      assert.equal(state.follower?.take(entries, 1), true)
      assert.deepEqual(idsIn(reader), [1])
    }
    assert.equal(made, 1)
  })

  it('ends with a whole answer, once, and leaves the hub', async (t) => {
    const { stream, reader, state } = aStream(t)
    await stream.run()
    stream.end()
    stream.end()
    assert.deepEqual([reader.writableEnded, state.left], [true, 1])
    stream.beat()
    assert.equal(reader.errored, null, 'it says no more')
  })

  it('sends and begins nothing once it has ended, also what was being read', async (t) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { stream, reader, state } = aStream(t, { last: 5, hubAt: 5 })
    state.held = promise
    const running = stream.run()
    await nextTurn()
    stream.end()
    resolve()
    await running
    assert.deepEqual([reader.text, reader.errored, state.joined], ['', null, []])
  })

  it('joins no hub once it has ended while its reader was waited for', async (t) => {
    const reader = new Reader({ slow: true })
    const { stream, state } = aStream(t, { reader, last: 100, hubAt: 100 })
    const late = new AbortController()
    t.mock.method(AbortSignal, 'timeout', () => late.signal)
    const running = stream.run()
    await nextTurn()
    stream.end()
    late.abort()
    await running
    assert.deepEqual(state.joined, [])
  })

  it('ends where the sequence can not be read, and says why', async (t) => {
    const { stream, reader, state } = aStream(t, { last: 5, hubAt: 5 })
    state.fault = new Error('locked')
    await stream.run()
    assert.deepEqual([state.errors, reader.writableEnded], [[state.fault], true])
  })
})
