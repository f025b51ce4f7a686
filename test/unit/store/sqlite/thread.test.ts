// What callers see of a worker that serves, and of one that dies.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreFailedError } from '../../../../src/app/errors.ts'
import { WriteQueue } from '../../../../src/app/queue/write-queue.ts'
import { ThreadClient } from '../../../../src/app/store/sqlite/thread.ts'

type Methods = { store: (items: readonly string[]) => readonly string[]; close: (_: null) => void }
type Served = Methods & { open: (_: null) => void; until: (flag: SharedArrayBuffer) => void }

/** A worker that answers nothing and does this when it is called. */
function dying(work: string): ThreadClient<Methods> {
  const module = `import { parentPort } from 'node:worker_threads'
    parentPort.on('message', () => { ${work} })`
  return new ThreadClient(new URL(`data:text/javascript,${encodeURIComponent(module)}`))
}

const SERVING = new URL('../../../../src/app/store/sqlite/thread.ts', import.meta.url)
const ERRORS = new URL('../../../../src/app/errors.ts', import.meta.url)

/** A worker that gives back what it is given, or throws what this says; its end is told in a shared place. */
function serving(thrown: string | null = null): ThreadClient<Served> {
  const throwing = thrown === null ? '' : `throw ${thrown}`
  const module = `import { serveThread } from '${SERVING}'
    import { ConfigurationError } from '${ERRORS}'
    const sqlite = (errcode) => Object.assign(new Error('near'), { errcode, errstr: 'reason' })
    let closed
    serveThread({
      open: () => { ${throwing} },
      store: (items) => { ${throwing}; return items },
      until: (flag) => { closed = flag },
      close: () => { if (closed) Atomics.store(new Int32Array(closed), 0, 1) },
    })`
  return new ThreadClient(new URL(`data:text/javascript,${encodeURIComponent(module)}`))
}

test('what was answered does not wait any more, whatever the answer', async (t) => {
  for (const thrown of [null, "new Error('near')"]) {
    const thread = serving(thrown)
    t.after(() => thread.close())
    const calls = ['first', 'second'].map((item) => thread.call('store', [item]))
    assert.equal(thread.pending, 2)
    const settled = await Promise.allSettled(calls)
    const value = (result: (typeof settled)[0]) => ('value' in result ? result.value : null)
    assert.deepEqual(settled.map(value), thrown === null ? [['first'], ['second']] : [null, null])
    assert.equal(thread.pending, 0)
  }
})

test('what a thread throws is the same for its caller, and at the opening in words for whoever opens', async (t) => {
  const locked = /^another process has kept it/
  for (const [thrown, name, stored, opened] of [
    ['sqlite(5)', 'StoreUnavailableError', /^SQLite answered 5/, locked],
    ['sqlite(11)', 'StoreFailedError', /^SQLite answered 11/, /^SQLite answered 11/],
    ["new ConfigurationError('Set it.')", 'ConfigurationError', /^Set it/, /^Set it/],
    ["new TypeError('Odd.')", 'Error', /^Odd/, /^Odd/],
  ] as const) {
    const thread = serving(thrown)
    t.after(() => thread.close())
    await assert.rejects(thread.call('store', []), { name, message: stored })
    await assert.rejects(thread.call('open', null), { name, message: opened })
  }
})

test('a thread that is closed serves what waits, closes what it holds and has ended then', async () => {
  const thread = serving()
  const flag = new SharedArrayBuffer(4)
  const until = thread.call('until', flag)
  const waiting = thread.call('store', ['waits'])
  await Promise.all([thread.close(), thread.close()])
  assert.deepEqual([await until, await waiting], [undefined, ['waits']])
  assert.equal(new Int32Array(flag)[0], 1)
  await assert.rejects(thread.call('store', ['late']), StoreFailedError)
  await thread.close()
})

for (const [what, work, reason] of [
  ['throws', "throw new TypeError('nothing there')", /has failed \(TypeError\)/],
  ['throws what is no error', "throw 'a text'", /has failed \(Error\)/],
  ['ends', 'process.exit(0)', /has ended/],
] as const) {
  test(`a thread that ${what} is a store that has failed, for whoever waits and whoever comes`, async () => {
    const thread = dying(work)
    const failed = { name: 'StoreFailedError', message: reason }
    await assert.rejects(thread.call('store', ['first']), failed)
    await assert.rejects(thread.call('store', ['second']), failed)
    assert.ok((await thread.ended) instanceof StoreFailedError)
    await thread.close()
  })
}

test('none of its batch is taken for what the thread died of', async () => {
  const thread = dying("throw new Error('nothing there')")
  const queue = new WriteQueue<string, string>({
    write: (items) => thread.call('store', items),
    bytesOf: () => 1,
    maxItems: 10,
    maxBytes: 10,
    costOf: () => 1,
    maxBatchCost: 10,
  })
  const settled = await Promise.allSettled([queue.add('first'), queue.add('second')])
  for (const each of settled) {
    assert.ok(each.status === 'rejected' && each.reason instanceof StoreFailedError)
  }
  await thread.close()
})
