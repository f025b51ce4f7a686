import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { AppError, StoreUnavailableError } from '../../../src/app/errors.ts'
import { WriteQueue } from '../../../src/app/queue/write-queue.ts'
import { HeldWriter } from '../../support/held-writer.ts'

/** An item costs ten times its length. */
function start({ maxItems = 100, maxBytes = 1000, maxBatchCost = 10_000 } = {}) {
  const writer = new HeldWriter<string, string>()
  const bytesOf = (item: string) => item.length
  const costOf = (item: string) => 10 * item.length
  const limits = { maxItems, maxBytes, maxBatchCost }
  return { writer, queue: new WriteQueue({ write: writer.write, bytesOf, costOf, ...limits }) }
}

/** What the queue answers for an item: `pending` until then. */
type Answer = { state: 'pending' | 'resolved' | 'rejected'; value: unknown }

function watch(promise: Promise<unknown>): Answer {
  const answer: Answer = { state: 'pending', value: undefined }
  promise.then(
    (value) => Object.assign(answer, { state: 'resolved', value }),
    (value) => Object.assign(answer, { state: 'rejected', value }),
  )
  return answer
}

/** Turns of the event loop: more than any step of the queue takes. */
async function someTurns(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn()
}

function isOverloaded(error: unknown): boolean {
  return error instanceof AppError && error.code === 'overloaded' && error.status === 503
}

describe('WriteQueue', () => {
  it('hands over what came in one turn of the event loop as one batch, in order', async () => {
    const { writer, queue } = start()
    const answers = ['a', 'b', 'c'].map((item) => queue.add(item))
    const batch = await writer.next()
    assert.deepEqual(batch.items, ['a', 'b', 'c'])
    batch.commit(['A', 'B', 'C'])
    assert.deepEqual(await Promise.all(answers), ['A', 'B', 'C'])
  })

  it('lets everything wait while a batch is in flight, and hands it over as the next one', async () => {
    const { writer, queue } = start()
    const first = queue.add('a')
    const one = await writer.next()
    const later = ['b', 'c'].map((item) => queue.add(item))
    await someTurns()
    later.push(queue.add('d'))
    await someTurns()
    assert.deepEqual(writer.waiting, [], 'two batches were in flight at once')
    one.commit(['A'])
    assert.equal(await first, 'A')
    const two = await writer.next()
    assert.deepEqual(two.items, ['b', 'c', 'd'])
    two.commit(['B', 'C', 'D'])
    assert.deepEqual(await Promise.all(later), ['B', 'C', 'D'])
  })

  it('has the next batch at the writer when it answers the last one', async () => {
    const { writer, queue } = start()
    const first = queue.add('a').then(() => writer.waiting.map(({ items }) => items))
    const one = await writer.next()
    const second = queue.add('b')
    one.commit(['A'])
    assert.deepEqual(await first, [['b']])
    const two = await writer.next()
    two.commit(['B'])
    assert.equal(await second, 'B')
  })

  it('hands over at once what fills it, and only once', async () => {
    const { writer, queue } = start({ maxItems: 2 })
    const answers = ['a', 'b'].map((item) => queue.add(item))
    assert.deepEqual(
      writer.waiting.map(({ items }) => items),
      [['a', 'b']],
    )
    await someTurns()
    assert.equal(writer.inFlight, 1)
    const batch = await writer.next()
    batch.commit(['A', 'B'])
    assert.deepEqual(await Promise.all(answers), ['A', 'B'])
    assert.deepEqual([queue.items, writer.inFlight], [0, 0])
  })

  it('has one batch in flight, also where the first began before all that had arrived was read', async () => {
    const { writer, queue } = start({ maxItems: 2, maxBatchCost: 10 })
    const answers = ['a', 'b'].map((item) => queue.add(item))
    const one = await writer.next()
    await someTurns()
    assert.deepEqual([one.items, writer.inFlight], [['a'], 1])
    one.commit(['A'])
    const two = await writer.next()
    two.commit(['B'])
    assert.deepEqual(await Promise.all(answers), ['A', 'B'])
  })

  it('hands over no more than a batch may cost, one item at least, and the rest behind it', async () => {
    const { writer, queue } = start({ maxBatchCost: 50 })
    const items = ['ab', 'cd', 'e', 'f', 'far too much', 'g']
    const answers = items.map((item) => queue.add(item))
    for (const expected of [['ab', 'cd', 'e'], ['f'], ['far too much'], ['g']]) {
      const batch = await writer.next()
      assert.deepEqual(batch.items, expected)
      assert.equal(writer.inFlight, 1)
      batch.commit(expected.map((item) => item.toUpperCase()))
    }
    assert.deepEqual(
      await Promise.all(answers),
      items.map((item) => item.toUpperCase()),
    )
    await queue.drain()
  })

  it('divides those who come back together, so that one half commits while the other is read', async () => {
    const { writer, queue } = start()
    const items = Array.from({ length: 64 }, (_, i) => `${i}`)
    const outcomes = items.map(() => '')
    const begun = performance.now()
    const all = items.map((item) => queue.add(item))
    for (let batch = await writer.next(); ; batch = await writer.next()) {
      batch.commit(outcomes.slice(0, batch.items.length))
      if (batch.items.at(-1) === '63') break
    }
    await Promise.all(all)
    const ended = performance.now()
    while (performance.now() - ended < ended - begun) await turn()
    const again = items.map((item) => queue.add(item))
    const sizes: number[] = []
    for (let left = 64; left > 0; left -= sizes.at(-1) ?? 0) {
      const batch = await writer.next()
      sizes.push(batch.items.length)
      batch.commit(outcomes.slice(0, batch.items.length))
    }
    await Promise.all(again)
    assert.deepEqual(sizes, [32, 32])
  })

  it('waits with those who come back together for half of what the last commit took', async (t) => {
    let nowMs = 1000
    t.mock.method(performance, 'now', () => nowMs)
    const { writer, queue } = start()
    const items = Array.from({ length: 64 }, (_, i) => `${i}`)
    const first = items.map((item) => queue.add(item))
    for (let left = items.length; left > 0; ) {
      const batch = await writer.next()
      nowMs += 100
      batch.commit(batch.items)
      left -= batch.items.length
    }
    await Promise.all(first)
    nowMs += 49
    const again = items.map((item) => queue.add(item))
    const batch = await writer.next()
    assert.equal(batch.items.length, items.length)
    batch.commit(items)
    await Promise.all(again)
  })

  it('answers nobody before the commit of their own batch', async () => {
    const { writer, queue } = start()
    const first = watch(queue.add('a'))
    const one = await writer.next()
    const second = watch(queue.add('b'))
    await someTurns()
    assert.equal(first.state, 'pending')
    one.commit(['A'])
    await someTurns()
    assert.deepEqual(first, { state: 'resolved', value: 'A' })
    assert.equal(second.state, 'pending')
    const two = await writer.next()
    two.commit(['B'])
    await someTurns()
    assert.deepEqual(second, { state: 'resolved', value: 'B' })
  })

  it('is full by count, counting what waits and what is in flight', async () => {
    const { writer, queue } = start({ maxItems: 3 })
    const first = queue.add('a')
    const one = await writer.next()
    const rest = [queue.add('b'), queue.add('c')]
    assert.ok(queue.isFullFor(0))
    await assert.rejects(queue.add('d'), isOverloaded)
    one.commit(['A'])
    await first
    assert.ok(!queue.isFullFor(0))
    const fourth = queue.add('e')
    const two = await writer.next()
    assert.deepEqual(two.items, ['b', 'c'])
    two.commit(['B', 'C'])
    const three = await writer.next()
    assert.deepEqual(three.items, ['e'])
    three.commit(['E'])
    assert.deepEqual(await Promise.all([...rest, fourth]), ['B', 'C', 'E'])
  })

  it('is full by bytes, and takes the last one that fits', async () => {
    const { writer, queue } = start({ maxBytes: 10 })
    const first = queue.add('aaaa')
    const one = await writer.next()
    assert.ok(queue.isFullFor(7))
    assert.ok(!queue.isFullFor(6))
    await assert.rejects(queue.add('bbbbbbb'), isOverloaded)
    const second = queue.add('cccccc')
    await assert.rejects(queue.add('d'), isOverloaded)
    one.commit(['A'])
    const two = await writer.next()
    assert.deepEqual(two.items, ['cccccc'], 'what was refused must not be written')
    two.commit(['C'])
    assert.deepEqual(await Promise.all([first, second]), ['A', 'C'])
  })

  it('never takes an item that is larger than all it may hold', async () => {
    const { queue } = start({ maxBytes: 10 })
    await assert.rejects(queue.add('a'.repeat(11)), isOverloaded)
    assert.equal(queue.items, 0)
  })

  it('counts items and bytes until they are committed', async () => {
    const { writer, queue } = start()
    assert.deepEqual([queue.items, queue.bytes], [0, 0])
    const first = queue.add('aaa')
    assert.deepEqual([queue.items, queue.bytes], [1, 3])
    const one = await writer.next()
    const second = queue.add('bb')
    assert.deepEqual([queue.items, queue.bytes], [2, 5])
    one.commit(['A'])
    await first
    assert.deepEqual([queue.items, queue.bytes], [1, 2])
    const two = await writer.next()
    two.commit(['B'])
    await second
    assert.deepEqual([queue.items, queue.bytes], [0, 0])
  })

  it('rejects a failed batch and all who came meanwhile with the error, and goes on', async () => {
    const { writer, queue } = start()
    const failed = [queue.add('a'), queue.add('b')]
    const one = await writer.next()
    failed.push(queue.add('c'))
    const error = new StoreUnavailableError('The disk is full.')
    one.fail(error)
    for (const result of await Promise.allSettled(failed)) {
      assert.ok(result.status === 'rejected' && result.reason === error)
    }
    assert.deepEqual([queue.items, queue.bytes], [0, 0])
    const next = queue.add('d')
    const two = await writer.next()
    assert.deepEqual(two.items, ['d'], 'an item that was answered must not be written')
    two.commit(['D'])
    assert.equal(await next, 'D')
  })

  it('writes each item by itself when one of a batch can not be stored, so that only that one fails', async () => {
    const { writer, queue } = start()
    const answers = ['a', 'poison', 'c'].map((item) => watch(queue.add(item)))
    const error = new Error('PostgreSQL answered 54000.')
    ;(await writer.next()).fail(error)
    for (const item of ['a', 'poison', 'c']) {
      const alone = await writer.next()
      assert.deepEqual(alone.items, [item])
      if (item === 'poison') alone.fail(error)
      else alone.commit([item.toUpperCase()])
    }
    await someTurns()
    assert.deepEqual(
      answers.map(({ value }) => value),
      ['A', error, 'C'],
    )
    assert.deepEqual([queue.items, queue.bytes], [0, 0])
  })

  it('rejects an item alone that can not be stored when it was a batch alone, and stores who came meanwhile', async () => {
    const { writer, queue } = start()
    const poison = watch(queue.add('poison'))
    const one = await writer.next()
    const later = ['b', 'c'].map((item) => queue.add(item))
    const error = new Error('PostgreSQL answered 54000.')
    one.fail(error)
    const two = await writer.next()
    assert.deepEqual(two.items, ['b', 'c'], 'what can not be stored is not tried twice')
    assert.deepEqual(poison, { state: 'rejected', value: error })
    two.commit(['B', 'C'])
    assert.deepEqual(await Promise.all(later), ['B', 'C'])
    assert.deepEqual([queue.items, queue.bytes], [0, 0])
  })

  it('stops writing each item by itself at an outage, and rejects what is left and who came meanwhile', async () => {
    const { writer, queue } = start()
    const answers = ['a', 'b', 'c'].map((item) => watch(queue.add(item)))
    ;(await writer.next()).fail(new Error('PostgreSQL answered 54000.'))
    ;(await writer.next()).commit(['A'])
    const second = await writer.next()
    answers.push(watch(queue.add('d')))
    const outage = new StoreUnavailableError('PostgreSQL could not be reached.')
    second.fail(outage)
    await someTurns()
    assert.deepEqual(writer.waiting, [], 'each would wait for the same answer')
    assert.deepEqual(
      answers.map(({ value }) => value),
      ['A', outage, outage, outage],
    )
    assert.deepEqual([queue.items, queue.bytes], [0, 0])
    await queue.drain()
  })

  it('rejects the second batch when only that one failed', async () => {
    const { writer, queue } = start()
    const first = queue.add('a')
    const one = await writer.next()
    const second = queue.add('b')
    one.commit(['A'])
    const two = await writer.next()
    two.fail(new StoreUnavailableError('The disk is full.'))
    assert.equal(await first, 'A')
    await assert.rejects(second, StoreUnavailableError)
    assert.deepEqual([queue.items, queue.bytes], [0, 0])
  })

  it('rejects an item for which the writer gave no outcome', async () => {
    const { writer, queue } = start()
    const first = queue.add('a')
    const second = queue.add('b')
    const batch = await writer.next()
    batch.commit(['A'])
    assert.equal(await first, 'A')
    await assert.rejects(second, StoreUnavailableError)
  })

  it('has drained once nothing waits and nothing is in flight', async () => {
    const { writer, queue } = start()
    await queue.drain()
    const first = queue.add('a')
    const drained = watch(queue.drain())
    const one = await writer.next()
    const second = queue.add('b')
    one.commit(['A'])
    await first
    await someTurns()
    assert.equal(drained.state, 'pending')
    const two = await writer.next()
    two.commit(['B'])
    await second
    await queue.drain()
    await someTurns()
    assert.equal(drained.state, 'resolved')
  })

  it('has drained after a failure too', async () => {
    const { writer, queue } = start()
    const failed = queue.add('a')
    const drained = Promise.all([queue.drain(), queue.drain()])
    const batch = await writer.next()
    batch.fail(new StoreUnavailableError('The disk is full.'))
    await assert.rejects(failed, StoreUnavailableError)
    await drained
  })

  it('gives each item its own outcome whatever comes, commits and fails in which order', async () => {
    const aStep = fc.constantFrom('add', 'add', 'add', 'commit', 'fail', 'refuse', 'turn')
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { maxLength: 60 }), async (steps) => {
        const { writer, queue } = start({ maxItems: 8 })
        const answers: { item: string; answer: Answer }[] = []
        const committed: string[] = []
        const failed: string[] = []
        const refused: string[] = []
        const finish = (step: 'commit' | 'fail' | 'refuse') => {
          const batch = writer.waiting.shift()
          if (batch === undefined) return
          const { items } = batch
          if (step === 'commit') batch.commit(items.map((item) => item.toUpperCase()))
          else if (step === 'fail') batch.fail(new StoreUnavailableError('The disk is full.'))
          else batch.fail(new Error('PostgreSQL answered 54000.'))
          if (step === 'commit') committed.push(...items)
          else if (step === 'fail') failed.push(...items)
          else if (items.length === 1) refused.push(...items)
        }
        for (const [i, step] of steps.entries()) {
          if (step === 'add') answers.push({ item: `m${i}`, answer: watch(queue.add(`m${i}`)) })
          else if (step === 'turn') await turn()
          else finish(step)
          assert.ok(writer.inFlight <= 1)
          assert.ok(queue.items <= 8)
        }
        for (;;) {
          await someTurns()
          if (writer.waiting.length === 0) break
          finish('commit')
        }
        assert.deepEqual([queue.items, queue.bytes], [0, 0])
        assert.deepEqual(committed, committed.toSorted(byNumber), 'the order was changed')
        for (const { item, answer } of answers) {
          if (committed.includes(item)) assert.equal(answer.value, item.toUpperCase())
          else assert.equal(answer.state, 'rejected')
          const isOutage = answer.value instanceof StoreUnavailableError
          if (failed.includes(item)) assert.ok(isOutage)
          if (refused.includes(item)) assert.ok(!isOutage)
          const wasTried = [committed, failed, refused].some((items) => items.includes(item))
          if (!wasTried)
            assert.ok(isOutage || isOverloaded(answer.value), 'a fault of another item')
        }
      }),
      { numRuns: 200 },
    )
  })
})

function byNumber(a: string, b: string): number {
  return Number(a.slice(1)) - Number(b.slice(1))
}
