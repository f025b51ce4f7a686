// What callers see of a worker that dies.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreFailedError } from '../../../../src/app/errors.ts'
import { WriteQueue } from '../../../../src/app/queue/write-queue.ts'
import { ThreadClient } from '../../../../src/app/store/sqlite/thread.ts'

type Methods = { store: (items: readonly string[]) => readonly string[]; close: (_: null) => void }

/** A worker that answers nothing and does this when it is called. */
function dying(work: string): ThreadClient<Methods> {
  const module = `import { parentPort } from 'node:worker_threads'
    parentPort.on('message', () => { ${work} })`
  return new ThreadClient(new URL(`data:text/javascript,${encodeURIComponent(module)}`))
}

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
