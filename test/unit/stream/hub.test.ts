import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { SequenceEntry, SequencePage } from '../../../src/app/model/event.ts'
import { type Follower, type HubOptions, StreamHub } from '../../../src/app/stream/hub.ts'
import { until } from '../../support/until.ts'

type AMessage = Extract<SequenceEntry, { kind: 'message' }>['message']

/** A sequence that ends at `last`, and whose parts come when the test says so. */
function aHub(last: () => number, addressesOf: HubOptions['addressesOf'] = async () => []) {
  const asked: { after: number; answer: () => void }[] = []
  const hub = new StreamHub({
    eventsAfter: ({ after }) =>
      new Promise((resolve) => {
        const page: SequencePage = {
          entries: entriesOf(after),
          next: after + 100,
          more: true,
          last: last(),
        }
        asked.push({ after, answer: () => resolve(page) })
      }),
    addressesOf,
    onError: assert.ifError,
    onRead: () => {},
    onLost: assert.ifError,
  })
  return { hub, asked }
}

/** The entries behind a position, as far as a test looks at them. */
function entriesOf(after: number): SequenceEntry[] {
  return Array.from({ length: 100 }, (_, i) => {
    const seq = after + 1 + i
    const message = { seq, contact: { key: `person ${seq}` } } as AMessage
    return { kind: 'message', intake: 1, message }
  })
}

function aFollower() {
  const seen: number[] = []
  const positions: number[] = []
  const state = { seen, positions, lost: 0 }
  const follower: Follower = {
    filter: {},
    take: (entries, next) => {
      seen.push(...entries.flatMap((entry) => (entry.kind === 'message' ? entry.message.seq : [])))
      positions.push(next)
      return true
    },
    lose: () => {
      state.lost++
    },
  }
  return { follower, state }
}

describe('the hub', () => {
  it('lets everybody who waits go on when it is closed, and takes nobody any more', async () => {
    const { hub } = aHub(() => 41)
    let isReleased = false
    void hub.changed(60_000).then(() => {
      isReleased = true
    })
    hub.close()
    await nextTurn()
    assert.ok(isReleased)
    assert.equal(hub.join(aFollower().follower, 41), null)
  })

  it('loses whoever has seen more than the sequence holds: they have to learn of it', async () => {
    const { hub, asked } = aHub(() => 41)
    const [ahead, along] = [aFollower(), aFollower()]
    hub.join(along.follower, 41)
    hub.join(ahead.follower, 42)
    await until('it reads', () => asked.length === 1)
    asked[0]?.answer()
    await until('one is lost', () => ahead.state.lost === 1)
    assert.equal(along.state.lost, 0)
    hub.close()
  })

  it('gives nothing to a follower that is further than itself, and does not move it back', async () => {
    const { hub, asked } = aHub(() => 9999)
    const [behind, ahead] = [aFollower(), aFollower()]
    hub.join(behind.follower, 0)
    hub.join(ahead.follower, 150)
    await until('it reads', () => asked.length === 1)
    asked[0]?.answer()
    await until('it reads on', () => asked.length === 2)
    assert.deepEqual(ahead.state.positions, [])
    asked[1]?.answer()
    await until('it reads on', () => asked.length === 3)
    assert.deepEqual([ahead.state.seen[0], ahead.state.seen.length], [151, 50])
    assert.equal(behind.state.seen.length, 200)
    hub.close()
  })

  it('hands nobody a part that was read for somebody else', async () => {
    const { hub, asked } = aHub(() => 9999)
    const [first, second] = [aFollower(), aFollower()]
    const leave = hub.join(first.follower, 50)
    await until('it reads', () => asked.length === 1)
    leave?.()
    hub.join(second.follower, 40)
    asked[0]?.answer()
    await nextTurn()
    assert.deepEqual(second.state.seen, [])
    await until('it reads for the other', () => asked.length === 2)
    assert.equal(asked[1]?.after, 40)
    asked[1]?.answer()
    await until('it has all', () => second.state.seen.length === 100)
    assert.equal(second.state.seen[0], 41)
    hub.close()
  })

  it('asks under which addresses people were seen, once for all and only where one is followed', async (test) => {
    const asked: (readonly string[])[] = []
    const { hub, asked: pages } = aHub(
      () => 9999,
      async (keys) => {
        asked.push(keys)
        return [{ key: 'person 107', address: 'of before' }]
      },
    )
    test.after(() => hub.close())
    const [anybody, person, another] = [aFollower(), aFollower(), aFollower()]
    hub.join(anybody.follower, 0)
    await until('it reads', () => pages.length === 1)
    pages[0]?.answer()
    await until('it reads on', () => pages.length === 2)
    hub.join({ ...person.follower, filter: { contact: 'of before' } }, 100)
    hub.join({ ...another.follower, filter: { contact: 'person 107' } }, 100)
    pages[1]?.answer()
    await until('all were handed it', () => anybody.state.positions.length === 2)
    assert.deepEqual([person.state.seen, person.state.positions], [[107], [200]])
    assert.deepEqual([another.state.seen, another.state.positions], [[], [200]])
    assert.deepEqual([asked.length, asked[0]?.length, asked[0]?.[0]], [1, 100, 'person 101'])
  })

  it('parts from a follower that a part cannot be given to, and gives it to all others', async (test) => {
    const pages: { after: number; answer: () => void }[] = []
    const errors: unknown[] = []
    const hub = new StreamHub({
      eventsAfter: ({ after }) =>
        new Promise((resolve) => {
          const page = { entries: entriesOf(after), next: after + 100, more: true, last: 9999 }
          pages.push({ after, answer: () => resolve(page) })
        }),
      addressesOf: async () => [],
      onError: assert.ifError,
      onRead: () => {},
      onLost: (error) => errors.push(error),
    })
    test.after(() => hub.close())
    const [before, unable, behind] = [aFollower(), aFollower(), aFollower()]
    const fault = new Error('This is too much.')
    const take = () => {
      throw fault
    }
    hub.join(before.follower, 0)
    hub.join({ ...unable.follower, take }, 0)
    hub.join(behind.follower, 0)
    await until('it reads', () => pages.length === 1)
    pages[0]?.answer()
    await until('it reads on', () => pages.length === 2)
    assert.equal(pages[1]?.after, 100)
    pages[1]?.answer()
    await until('it reads on', () => pages.length === 3)
    for (const { state } of [before, behind]) {
      assert.deepEqual([state.positions, state.seen.length, state.lost], [[100, 200], 200, 0])
    }
    assert.equal(unable.state.lost, 1)
    assert.deepEqual(errors, [fault])
  })

  it("asks a store that can't be read again after a while, however much is committed, and goes on", async (test) => {
    let faults = 0
    let isReadable = false
    let reads = 0
    const hub = new StreamHub({
      eventsAfter: async ({ after }) => {
        if (!isReadable) throw new Error('Not just now.')
        return { entries: entriesOf(after), next: after + 100, more: true, last: 9999 }
      },
      addressesOf: async () => [],
      onError: () => {
        faults++
      },
      onRead: () => {
        reads++
      },
      onLost: assert.ifError,
    })
    test.after(() => hub.close())
    const { follower, state } = aFollower()
    hub.join(follower, 0)
    await until('a read fails', () => faults === 1)
    const start = performance.now()
    for (let commit = 0; commit < 50; commit++) {
      hub.wake()
      await sleep(10)
    }
    const seconds = (performance.now() - start) / 1000
    assert.ok(faults <= 2 + seconds, `it asked ${faults} times in ${seconds} s`)
    assert.equal(reads, 0)
    isReadable = true
    await until('it has read on', () => state.seen.length > 0)
    assert.equal(state.seen[0], 1)
    await until('it says so', () => reads > 0)
  })
})
