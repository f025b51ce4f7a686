import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { PassThrough, type TransformOptions } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../../src/app/errors.ts'
import { BodyBudget } from '../../../src/app/http/body-budget.ts'
import { ByteBudget } from '../../../src/app/http/byte-budget.ts'
import { collectBody } from '../../../src/app/http/raw-body.ts'

const FREE = 16 * 1024

/** A request that sends what is written to it. */
function aRequest(
  headers: Record<string, string> = {},
  how: TransformOptions = {},
): IncomingMessage & PassThrough {
  return Object.assign(new PassThrough(how), { headers }) as unknown as IncomingMessage &
    PassThrough
}

const is = (code: string) => (error: unknown) => error instanceof AppError && error.code === code

test('a body is the bytes that were sent, however they were cut', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 50 }))
  const property = fc.asyncProperty(chunks, async (parts) => {
    const request = aRequest()
    const body = collectBody(request, { maxBytes: 10_000, budget: new BodyBudget(0) })
    for (const part of parts) request.write(part)
    request.end()
    assert.deepEqual(await body, Buffer.concat(parts))
  })
  await fc.assert(property, { numRuns: 50 })
})

test('a body is the bytes that were sent, also in thousands of parts of a few bytes or of many', async () => {
  const request = aRequest()
  const body = collectBody(request, { maxBytes: 1_000_000, budget: new BodyBudget(1_000_000) })
  const lengths = Array.from({ length: 5000 }, (_, n) => (n % 700 === 0 ? 5000 : (n * 7) % 31))
  const parts = lengths.map((length, n) => Buffer.alloc(length, n % 251))
  for (const part of parts) request.write(part)
  request.end()
  assert.ok((await body).equals(Buffer.concat(parts)))
})

test('a body of exactly the limit is taken, one byte more is refused', async () => {
  for (const [bytes, code] of [
    [100, null],
    [101, 'body_too_large'],
  ] as const) {
    const request = aRequest()
    const body = collectBody(request, { maxBytes: 100, budget: new BodyBudget(0) })
    request.end(Buffer.alloc(bytes))
    if (code === null) assert.equal((await body).length, bytes)
    else await assert.rejects(body, is(code))
  }
})

test('a declared length over the limit is refused without reading', async () => {
  const request = aRequest({ 'content-length': '101' })
  const limits = { maxBytes: 100, budget: new BodyBudget(0) }
  await assert.rejects(collectBody(request, limits), is('body_too_large'))
  assert.equal(request.listenerCount('data'), 0)
})

test('16 KiB are free, and beyond them bodies share one budget', async () => {
  const limits = { maxBytes: 1_000_000, budget: new BodyBudget(1000) }
  const small = aRequest()
  const body = collectBody(small, limits)
  small.end(Buffer.alloc(FREE))
  assert.equal((await body).length, FREE)

  const first = aRequest()
  const kept = collectBody(first, limits)
  first.write(Buffer.alloc(FREE + 600))
  await new Promise((resolve) => setImmediate(resolve))
  const second = aRequest()
  const refused = collectBody(second, limits)
  second.end(Buffer.alloc(FREE + 401))
  await assert.rejects(refused, is('overloaded'))
  first.end(Buffer.alloc(400))
  assert.equal((await kept).length, FREE + 1000)
})

test('a body that has been arriving for two seconds makes room for another, and none that is new', async (t) => {
  let nowMs = 10_000
  t.mock.method(performance, 'now', () => nowMs)
  const limits = { maxBytes: 1_000_000, budget: new BodyBudget(1000) }
  const begin = async (bytes: number) => {
    // As a request is until it is answered: not closed by its end.
    const request = aRequest({}, { autoDestroy: false })
    const body = collectBody(request, limits)
    body.catch(() => {})
    request.write(Buffer.alloc(FREE + bytes))
    await new Promise((resolve) => setImmediate(resolve))
    return { request, body }
  }
  const free = await begin(0)
  const oldest = await begin(400)
  nowMs += 1000
  const older = await begin(600)
  nowMs += 999
  await assert.rejects((await begin(1)).body, is('overloaded'))
  nowMs += 1
  const newest = await begin(400)
  await assert.rejects(oldest.body, is('overloaded'))
  older.request.end()
  newest.request.end()
  assert.equal((await older.body).length, FREE + 600)
  assert.equal((await newest.body).length, FREE + 400)
  free.request.end()
  assert.equal((await free.body).length, FREE, 'what holds nothing makes no room')
  // What has arrived waits to be stored, however long, and makes no room.
  nowMs += 10_000
  await assert.rejects((await begin(1)).body, is('overloaded'))
})

test('the budget comes back when a request is closed, whatever became of it', async () => {
  const budget = new BodyBudget(1000)
  const another = { sinceMs: 0, giveUp: () => {} }
  const limits = { maxBytes: FREE + 1000, budget }
  const ends: ((request: PassThrough) => void)[] = [
    (request) => request.end(),
    (request) => request.destroy(),
    (request) => request.destroy(new Error('reset')),
    (request) => request.write(Buffer.alloc(2000)),
  ]
  for (const end of ends) {
    const request = aRequest()
    const body = collectBody(request, limits)
    const settled = Promise.allSettled([body])
    const closed = new Promise((resolve) => request.once('close', resolve))
    request.write(Buffer.alloc(FREE + 900))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(budget.take(101, another), false)
    end(request)
    await settled
    request.destroy()
    await closed
    assert.equal(budget.take(1000, another), true)
    assert.equal(budget.take(1, another), false, 'more came back than was taken')
    budget.giveBack(1000)
  }
})

test('a body that is refused takes no more of the budget, whatever comes of it', async () => {
  const budget = new BodyBudget(1000)
  const another = { sinceMs: 0, giveUp: () => {} }
  assert.ok(budget.take(1000, another))
  const request = aRequest({}, { autoDestroy: false })
  const body = collectBody(request, { maxBytes: 1_000_000, budget })
  request.write(Buffer.alloc(FREE + 1))
  await assert.rejects(body, is('overloaded'))
  budget.giveBack(1000)
  request.end(Buffer.alloc(500))
  await once(request, 'end')
  assert.equal(budget.take(1000, another), true)
})

test('a body never makes room for itself, however long it has been arriving', (t) => {
  let nowMs = 10_000
  t.mock.method(performance, 'now', () => nowMs)
  const budget = new BodyBudget(1000)
  const body = budget.begins(() => assert.fail('It was given up for itself.'))
  assert.equal(budget.take(900, body), true)
  nowMs += 60_000
  assert.equal(budget.take(101, body), false)
})

test('a body that has arrived, or will not, is not kept among those that may make room', async (t) => {
  const budget = new BodyBudget(1000)
  const arriving = new Set<unknown>()
  const { begins, ends } = budget
  t.mock.method(budget, 'begins', (giveUp: () => void) => {
    const begun = begins.call(budget, giveUp)
    arriving.add(begun)
    return begun
  })
  t.mock.method(budget, 'ends', (begun: ReturnType<BodyBudget['begins']>) => {
    arriving.delete(begun)
    ends.call(budget, begun)
  })
  for (const end of [
    (request: PassThrough) => request.end(),
    (request: PassThrough) => request.destroy(),
    (request: PassThrough) => request.write(Buffer.alloc(1)),
  ]) {
    const request = aRequest({}, { autoDestroy: false })
    const body = collectBody(request, { maxBytes: FREE + 900, budget })
    const closed = once(request, 'close')
    const settled = Promise.allSettled([body])
    request.write(Buffer.alloc(FREE + 900))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(arriving.size, 1)
    end(request)
    await settled
    assert.equal(arriving.size, 0)
    request.destroy()
    await closed
  }
})

test('a sender that goes away is a bad request and no fault of the service', async () => {
  for (const reason of [undefined, new Error('ECONNRESET')]) {
    const request = aRequest()
    const body = collectBody(request, { maxBytes: 100, budget: new BodyBudget(0) })
    request.write('half')
    request.destroy(reason)
    await assert.rejects(body, is('bad_request'))
  }
})

test('what is left of a refused body is read and dropped, whatever it was refused for', async (t) => {
  let nowMs = 10_000
  t.mock.method(performance, 'now', () => nowMs)
  const budget = new BodyBudget(1000)
  const large = { maxBytes: 1_000_000, budget }
  const forAnother = () =>
    budget.take(
      1,
      budget.begins(() => {}),
    )
  for (const [code, limits, bytes, refuse] of [
    ['body_too_large', { maxBytes: 100, budget }, 101, () => {}],
    ['overloaded', large, FREE + 1001, () => {}],
    ['overloaded', large, FREE + 1000, () => assert.ok(forAnother())],
  ] as const) {
    const request = aRequest()
    const refused = assert.rejects(collectBody(request, limits), is(code))
    const ended = once(request, 'end')
    request.write(Buffer.alloc(bytes))
    await new Promise((resolve) => setImmediate(resolve))
    nowMs += 2000
    refuse()
    await refused
    for (let i = 0; i < 100; i++) request.write(Buffer.alloc(10_000))
    request.end()
    await ended
  }
})

test('a budget gives what it has and no more', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.array(fc.nat(500)), (bytes, wanted) => {
      const budget = new ByteBudget(bytes)
      const taken = wanted.filter((amount) => budget.take(amount))
      const sum = taken.reduce((total, amount) => total + amount, 0)
      assert.ok(sum <= bytes)
      assert.equal(budget.take(bytes - sum + 1), false)
      for (const amount of taken) budget.giveBack(amount)
      assert.equal(budget.take(bytes), true)
    }),
  )
})
