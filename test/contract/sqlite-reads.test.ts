// What who reads is told where a SQLite file can not be read, or not by so many at once.
import assert from 'node:assert/strict'
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { AppError } from '../../src/app/errors.ts'
import { fold } from '../../src/app/model/fold.ts'
import { openSqliteStore } from '../../src/app/store/sqlite/sqlite-store.ts'
import { aMessage, insertAll } from '../support/a-message.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** Queries that may wait for one thread. */
const MOST = 200
const PAGE = 4096

async function openStore(test: TestContext, file: string) {
  const store = await openSqliteStore({ file, onIndexError: () => {} })
  test.after(() => store.close())
  return store
}

function isRefused(code: string) {
  return (error: unknown) => error instanceof AppError && error.code === code
}

it('two hundred queries wait for the lists and as many for the searches, and one more is refused', async (test) => {
  const store = await openStore(test, join(temporaryDirectory(test), 'messages.db'))
  const list = { filter: {}, order: 'asc', limit: 1, offset: 0 } as const
  const search = { ...list, filter: { search: fold('hello') } } as const
  for (const [asked, other] of [
    [list, search],
    [search, list],
  ] as const) {
    const waiting = Array.from({ length: MOST }, () => store.page(asked))
    await Promise.all([
      assert.rejects(store.page(asked), isRefused('reads_overloaded')),
      store.page(other),
      ...waiting,
    ])
    await store.page(asked)
  }
})

it('a file that can not be read any more is told whoever reads, and what it says is kept from them', async (test) => {
  const file = join(temporaryDirectory(test), 'messages.db')
  const first = await openStore(test, file)
  await insertAll(
    first,
    Array.from({ length: 200 }, () => aMessage()),
  )
  await first.close()
  const store = await openStore(test, file)
  const handle = openSync(file, 'r+')
  const { size } = statSync(file)
  writeSync(handle, Buffer.alloc(size - PAGE, 'damaged '), 0, size - PAGE, PAGE)
  closeSync(handle)
  await assert.rejects(
    store.page({ filter: {}, order: 'asc', limit: 1, offset: 0 }),
    isRefused('reads_unavailable'),
  )
})
