import assert from 'node:assert/strict'
import { join } from 'node:path'
import { StatementSync } from 'node:sqlite'
import { it, type TestContext } from 'node:test'
import { packBatch } from '../../../../src/app/store/sqlite/batch.ts'
import { createPrivateFile } from '../../../../src/app/store/sqlite/connection.ts'
import { Indexer } from '../../../../src/app/store/sqlite/indexer.ts'
import { Reader } from '../../../../src/app/store/sqlite/reader.ts'
import { searchFileOf } from '../../../../src/app/store/sqlite/search-index.ts'
import { Writer } from '../../../../src/app/store/sqlite/writer.ts'
import { anEdit, aText, change } from '../../../support/cloud-api.ts'
import { intakeWith } from '../../../support/cloud-intake.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

type Fields = Readonly<Record<string, unknown>>

const withoutText = (fields: Fields) => aText({ text: undefined, ...fields })

/** A file of messages with its index, who writes either, and who reads both. */
function anIndexOf(test: TestContext) {
  const messages = join(temporaryDirectory(test), 'messages.db')
  createPrivateFile(messages)
  const files = { messages, search: searchFileOf(messages) }
  const writer = new Writer(messages)
  const indexer = new Indexer(files)
  const reader = new Reader(files)
  test.after(() => {
    for (const each of [reader, indexer, writer]) each.close()
  })
  return {
    indexer,
    store: (...changes: readonly Fields[]) => {
      writer.insert(packBatch([intakeWith(...changes)]))
    },
    indexAll: () => {
      for (let parts = 1; indexer.indexChunk() > 0; parts++) assert.ok(parts < 20, 'it ends')
    },
    found: (search: string) =>
      reader.page({ filter: { search }, order: 'asc', limit: 9, offset: 0 }).total,
  }
}

/** Does something once, right after rows have been read the next time, or instead of that. */
function onNextRead(test: TestContext, read: (rows: () => unknown[]) => unknown[]): void {
  const { all } = StatementSync.prototype
  const { mock } = test.mock.method(
    StatementSync.prototype,
    'all',
    function (this: StatementSync, ...values: Parameters<typeof all>) {
      mock.restore()
      return read(() => all.apply(this, values))
    },
  )
}

it('a message that was indexed is found by what it says since, before and after that is indexed too', (test) => {
  const { indexer, store, found } = anIndexOf(test)
  /** Stores it, and asserts how many are found by each text, before and after it is indexed. */
  const says = (item: Fields, expected: Readonly<Record<string, number>>) => {
    store(change({ messages: [item] }))
    for (const _ of ['before', 'after']) {
      const counted = Object.keys(expected).map((text) => [text, found(text)])
      assert.deepEqual(Object.fromEntries(counted), expected)
      assert.equal(indexer.indexChunk(), 0)
    }
  }
  const message = { type: 'text', text: { body: 'second' } }
  const edit = { original_message_id: 'a', message }
  const revoke = { original_message_id: 'a' }
  says(aText({ id: 'a', text: { body: 'first' } }), { first: 1, second: 0 })
  says(withoutText({ id: 'e', type: 'edit', edit }), { first: 0, second: 1 })
  says(withoutText({ id: 'r', type: 'revoke', revoke }), { first: 0, second: 0 })
  says(withoutText({ id: 'p', type: 'media_placeholder' }), { third: 0 })
  says(aText({ id: 'p', text: { body: 'third' } }), { third: 1 })
})

it('what is left behind a part is told, so that it is gone on with', (test) => {
  const { store, indexer } = anIndexOf(test)
  store(change({ messages: Array.from({ length: 600 }, () => aText()) }))
  // The last number of a part that is full is looked at once more.
  assert.deepEqual([indexer.indexChunk(), indexer.indexChunk()], [101, 0])
})

it('both messages of one id are found by what an edit made of them, wherever a part of the work ends', (test) => {
  const { store, indexAll, found } = anIndexOf(test)
  store(
    change({ messages: [aText({ id: 'a' })] }),
    change({ message_echoes: [aText({ id: 'a', to: '14155550100' })] }, 'smb_message_echoes'),
  )
  indexAll()
  // One less than a part, so that the edit gives the last of one and the first of the next.
  store(change({ messages: Array.from({ length: 499 }, () => aText()) }))
  store(change({ messages: [anEdit('a', 'edited')] }))
  indexAll()
  assert.equal(found('edited'), 2)
})

it('a message is found by what an edit made of it, also where more messages follow than a part takes', (test) => {
  const { store, indexAll, found } = anIndexOf(test)
  store(change({ messages: [aText({ id: 'a' })] }))
  indexAll()
  store(change({ messages: [anEdit('a', 'edited')] }))
  store(change({ messages: Array.from({ length: 600 }, () => aText()) }))
  indexAll()
  assert.equal(found('edited'), 1)
})

it('messages are found by what edits made of them, in whatever order those came', (test) => {
  const { store, indexAll, found } = anIndexOf(test)
  const ids = Array.from({ length: 600 }, (_, i) => `of-${i}`)
  store(change({ messages: ids.map((id) => aText({ id })) }))
  indexAll()
  store(change({ messages: ids.toReversed().map((id) => anEdit(id, 'edited')) }))
  indexAll()
  assert.equal(found('edited'), ids.length)
})

it('a message that is stored while a part is being read is found once that has been indexed', (test) => {
  const { store, indexer, found } = anIndexOf(test)
  store(change({ messages: [aText({ text: { body: 'early' } })] }))
  onNextRead(test, (rows) => {
    const read = rows()
    store(change({ messages: [aText({ text: { body: 'late' } })] }))
    return read
  })
  assert.deepEqual([indexer.indexChunk(), indexer.indexChunk()], [1, 0])
  assert.deepEqual([found('early'), found('late')], [1, 1])
})

it('a part that fails is undone, and the next one goes on', (test) => {
  const { store, indexer, indexAll, found } = anIndexOf(test)
  store(change({ messages: [aText({ text: { body: 'awaited' } })] }))
  const fault = new Error('locked')
  onNextRead(test, () => {
    throw fault
  })
  assert.throws(() => indexer.indexChunk(), fault)
  indexAll()
  assert.equal(found('awaited'), 1)
})
