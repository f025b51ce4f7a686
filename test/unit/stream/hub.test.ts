import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { SequenceEntry, SequencePage } from '../../../src/app/model/event.ts'
import { type Follower, type HubOptions, StreamHub } from '../../../src/app/stream/hub.ts'
import { until } from '../../support/until.ts'

type AMessage = Extract<SequenceEntry, { kind: 'message' }>['message']

/** A sequence that ends at `last`, and whose parts come when the test says so. */
function aHub(last: () => number, addressesOf: HubOptions['addressesOf'] = async () => []) {
  const asked: { after: number; limit: number; answer: () => void }[] = []
  const hub = new StreamHub({
    eventsAfter: ({ after, limit }) =>
      new Promise((resolve) => {
        const page: SequencePage = {
          entries: entriesOf(after),
          next: after + 100,
          more: true,
          last: last(),
        }
        asked.push({ after, limit, answer: () => resolve(page) })
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

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
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
    let last = 41
    const { hub, asked } = aHub(() => last)
    const [ahead, along] = [aFollower(), aFollower()]
    hub.join(along.follower, 41)
    hub.join(ahead.follower, 42)
    await until('it reads', () => asked.length === 1)
    last = 9999
    asked[0]?.answer()
    await until('one is lost', () => ahead.state.lost === 1)
    assert.equal(along.state.lost, 0)
    await until('it reads on', () => asked.length === 2)
    asked[1]?.answer()
    await until('it reads on', () => asked.length === 3)
    assert.deepEqual([ahead.state.lost, ahead.state.positions], [1, []], 'whoever is lost has left')
    hub.close()
  })

  it('loses whoever has seen a part of the sequence that is there no more', async (test) => {
    let last = 9999
    const { hub, asked } = aHub(() => last)
    test.after(() => hub.close())
    const { follower, state } = aFollower()
    hub.join(follower, 0)
    await until('it reads', () => asked.length === 1)
    last = 99
    asked[0]?.answer()
    await until('it reads on', () => asked.length === 2)
    asked[1]?.answer()
    await until('it is lost', () => state.lost === 1)
    assert.deepEqual(state.positions, [100])
  })

  it('reads a hundred entries at a time, and hands the same ones to all who follow the same', async (test) => {
    const { hub, asked } = aHub(() => 9999)
    test.after(() => hub.close())
    const handed: (readonly SequenceEntry[])[] = []
    const take: Follower['take'] = (entries) => {
      handed.push(entries)
      return true
    }
    for (const { follower } of [aFollower(), aFollower()]) hub.join({ ...follower, take }, 0)
    await until('it reads', () => asked.length === 1)
    assert.equal(asked[0]?.limit, 100)
    asked[0]?.answer()
    await until('both were handed it', () => handed.length === 2)
    assert.equal(handed[0], handed[1], 'as one list, whose text is made once')
  })

  it('takes nobody who is behind it: they would miss what it has read already', async (test) => {
    const { hub, asked } = aHub(() => 9999)
    test.after(() => hub.close())
    hub.join(aFollower().follower, 50)
    assert.equal(hub.join(aFollower().follower, 49), null)
    await until('it reads', () => asked.length === 1)
    asked[0]?.answer()
    await until('it reads on', () => asked.length === 2)
    assert.equal(hub.join(aFollower().follower, 149), null)
    assert.notEqual(hub.join(aFollower().follower, 150), null)
  })

  it('hands nobody anything once it is closed, also what is being read', async () => {
    const { hub, asked } = aHub(() => 9999)
    const { follower, state } = aFollower()
    hub.join(follower, 0)
    await until('it reads', () => asked.length === 1)
    hub.close()
    asked[0]?.answer()
    await nextTurn()
    assert.deepEqual(state.positions, [])
  })

  it('holds no timer, which would keep a process from ending, once it is closed', async () => {
    const before = activeTimers()
    const { hub } = aHub(() => 41)
    hub.join(aFollower().follower, 41)
    void hub.changed(60_000)
    assert.equal(activeTimers(), before + 2)
    hub.close()
    assert.equal(activeTimers(), before)
  })

  it('sets none either once what was being read has come', async () => {
    const { hub, asked } = aHub(() => 9999)
    hub.join(aFollower().follower, 0)
    await until('it reads', () => asked.length === 1)
    hub.close()
    const before = activeTimers()
    asked[0]?.answer()
    hub.wake()
    await nextTurn()
    assert.equal(activeTimers(), before)
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

/** A hub on a clock that goes on when the test says so. Its reads find nothing, unless one is held. */
function aHubOnAClock(t: TestContext) {
  let nowMs = 1000
  t.mock.method(performance, 'now', () => nowMs)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const state = {
    asked: 0,
    askedWho: 0,
    more: false,
    fails: false,
    held: null as Promise<void> | null,
  }
  const hub = new StreamHub({
    eventsAfter: async ({ after }) => {
      state.asked++
      await state.held
      if (state.fails) throw new Error('Not just now.')
      return { entries: [], next: after, more: state.more, last: after }
    },
    addressesOf: async () => {
      state.askedWho++
      return []
    },
    onError: () => {},
    onRead: () => {},
    onLost: assert.ifError,
  })
  t.after(() => hub.close())
  /** Lets time pass; resolves with how often the hub has asked by then. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed++) {
      nowMs++
      t.mock.timers.tick(1)
      await nextTurn()
    }
    return state.asked
  }
  return { hub, state, pass }
}

describe('the hub reads', () => {
  it('25 ms behind a commit, and once a second where it is told of none', async (t) => {
    const { hub, pass } = aHubOnAClock(t)
    hub.join(aFollower().follower, 5)
    assert.deepEqual([await pass(24), await pass(1)], [0, 1])
    assert.deepEqual([await pass(999), await pass(1)], [1, 2])
    await pass(500)
    hub.wake()
    assert.deepEqual([await pass(24), await pass(1)], [2, 3])
    assert.deepEqual([await pass(999), await pass(1)], [3, 4])
  })

  it('as often while commits follow each other without a pause', async (t) => {
    const { hub, pass } = aHubOnAClock(t)
    hub.join(aFollower().follower, 5)
    for (let commits = 0; commits < 20; commits++) {
      hub.wake()
      await pass(5)
    }
    assert.equal(await pass(0), 4)
  })

  it('one part at a time, and on at once where there is more or something came meanwhile', async (t) => {
    const { hub, state, pass } = aHubOnAClock(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    state.held = promise
    hub.join(aFollower().follower, 5)
    await pass(25)
    hub.wake()
    assert.equal(await pass(2000), 1)
    state.held = null
    resolve()
    assert.deepEqual([await pass(0), await pass(26)], [1, 2])
    state.more = true
    await pass(1000)
    const asked = await pass(0)
    assert.equal(await pass(100), asked + 4)
  })

  it('soon behind a commit again once the store can be read', async (t) => {
    const { hub, state, pass } = aHubOnAClock(t)
    hub.join(aFollower().follower, 5)
    state.fails = true
    await pass(25)
    state.fails = false
    assert.equal(await pass(1000), 2)
    hub.wake()
    assert.equal(await pass(25), 3)
  })

  it('as soon for who follows from now on, where others could not be read for', async (t) => {
    const { hub, state, pass } = aHubOnAClock(t)
    hub.join(aFollower().follower, 5)
    state.fails = true
    await pass(25)
    state.fails = false
    hub.join(aFollower().follower, 5)
    assert.deepEqual([await pass(24), await pass(1)], [1, 2])
  })

  it('as soon for who follows where another has left while its part was being read', async (t) => {
    const { hub, state, pass } = aHubOnAClock(t)
    const { promise, resolve } = Promise.withResolvers<void>()
    state.held = promise
    const leave = hub.join(aFollower().follower, 5)
    await pass(25)
    leave?.()
    hub.join(aFollower().follower, 3)
    resolve()
    assert.deepEqual([await pass(0), await pass(26)], [1, 2])
  })

  it('nothing of people where nobody is in what it has read', async (t) => {
    const { hub, state, pass } = aHubOnAClock(t)
    hub.join({ ...aFollower().follower, filter: { contact: '+14155550100' } }, 5)
    assert.deepEqual([await pass(25), state.askedWho], [1, 0])
  })

  it('nothing where nobody follows', async (t) => {
    const { hub, pass } = aHubOnAClock(t)
    void hub.changed(60_000)
    hub.wake()
    hub.join(aFollower().follower, 5)?.()
    assert.equal(await pass(3000), 0)
  })
})

describe('whoever waits for a commit', () => {
  /** Waits for a commit; whether it goes on by now. */
  function aWait(hub: StreamHub, ms = 60_000) {
    const wait = { isOver: false }
    void hub.changed(ms).then(() => {
      wait.isOver = true
    })
    return wait
  }

  it('goes on 25 ms behind it, also where it came just before', async (t) => {
    const { hub, pass } = aHubOnAClock(t)
    const before = aWait(hub)
    await pass(10)
    hub.wake()
    await pass(24)
    assert.equal(before.isOver, false)
    await pass(1)
    assert.equal(before.isOver, true)
    hub.wake()
    const behind = aWait(hub)
    await pass(25)
    assert.equal(behind.isOver, true)
    const without = aWait(hub)
    await pass(999)
    assert.equal(without.isOver, false)
    await pass(1)
    assert.equal(without.isOver, true)
  })

  it('goes on after as long as it wants to wait', async (t) => {
    const { hub, pass } = aHubOnAClock(t)
    const wait = aWait(hub, 10)
    await pass(9)
    assert.equal(wait.isOver, false)
    await pass(1)
    assert.equal(wait.isOver, true)
  })

  it('goes on as soon where streams could not be read before', async (t) => {
    const { hub, state, pass } = aHubOnAClock(t)
    const leave = hub.join(aFollower().follower, 5)
    state.fails = true
    await pass(25)
    leave?.()
    await pass(1000)
    const wait = aWait(hub)
    hub.wake()
    await pass(25)
    assert.equal(wait.isOver, true)
  })

  it('goes on at once where the hub is closed already', async (t) => {
    const { hub, pass } = aHubOnAClock(t)
    hub.close()
    const wait = aWait(hub)
    await pass(1)
    assert.equal(wait.isOver, true)
  })

  it('is forgotten then: a commit that nobody waits for sets no timer', async (t) => {
    const { hub, pass } = aHubOnAClock(t)
    aWait(hub, 10)
    await pass(10)
    const timers = t.mock.method(globalThis, 'setTimeout')
    hub.wake()
    assert.equal(timers.mock.callCount(), 0)
  })
})
