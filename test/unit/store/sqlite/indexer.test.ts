import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { packBatch } from '../../../../src/app/store/sqlite/batch.ts'
import { createPrivateFile } from '../../../../src/app/store/sqlite/connection.ts'
import { Indexer } from '../../../../src/app/store/sqlite/indexer.ts'
import { Reader } from '../../../../src/app/store/sqlite/reader.ts'
import { searchFileOf } from '../../../../src/app/store/sqlite/search-index.ts'
import { Writer } from '../../../../src/app/store/sqlite/writer.ts'
import { aText, change } from '../../../support/cloud-api.ts'
import { intakeWith } from '../../../support/cloud-intake.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

type Fields = Readonly<Record<string, unknown>>

const withoutText = (fields: Fields) => aText({ text: undefined, ...fields })

it('a message that was indexed is found by what it says since, before and after that is indexed too', (test) => {
  const messages = join(temporaryDirectory(test), 'messages.db')
  createPrivateFile(messages)
  const files = { messages, search: searchFileOf(messages) }
  const writer = new Writer(messages)
  const indexer = new Indexer(files)
  const reader = new Reader(files)
  test.after(() => {
    for (const each of [reader, indexer, writer]) each.close()
  })
  const found = (search: string) =>
    reader.page({ filter: { search }, order: 'asc', limit: 9, offset: 0 }).total
  /** Stores it, and asserts how many are found by each text, before and after it is indexed. */
  const says = (item: Fields, expected: Readonly<Record<string, number>>) => {
    writer.insert(packBatch([intakeWith(change({ messages: [item] }))]))
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
