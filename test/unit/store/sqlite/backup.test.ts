import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { copyDatabase } from '../../../../src/app/store/sqlite/backup.ts'
import { packBatch } from '../../../../src/app/store/sqlite/batch.ts'
import { createPrivateFile } from '../../../../src/app/store/sqlite/connection.ts'
import { Writer } from '../../../../src/app/store/sqlite/writer.ts'
import { aText, change } from '../../../support/cloud-api.ts'
import { intakeWith } from '../../../support/cloud-intake.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

/** Of a MiB of text each: together more than what is copied in one step. */
const LARGE = 12
/** Commits while it is copied. A copy that began anew with each would be longer than any test. */
const MEANWHILE = 20

test('a copy of which a page is damaged is none, whatever else can be read', async (t) => {
  const directory = temporaryDirectory(t)
  const [from, to] = [join(directory, 'messages.db'), join(directory, 'copy.db')]
  createPrivateFile(from)
  const writer = new Writer(from)
  writer.insert(packBatch([intakeWith(change({ messages: [aText()] }))]))
  writer.close()
  const database = new DatabaseSync(from)
  const found = database
    .prepare(
      "select rootpage as page, page_size as bytes from sqlite_schema, pragma_page_size where name = 'intakes'",
    )
    .get() as { page: number; bytes: number }
  database.close()
  const pages = openSync(from, 'r+')
  writeSync(pages, Buffer.alloc(found.bytes, 'x'), 0, found.bytes, (found.page - 1) * found.bytes)
  closeSync(pages)
  const copying = copyDatabase({ from, to, onProgress: () => {} })
  await assert.rejects(copying, /^Error: The copy is damaged .*: verify the database\.$/)
})

test('a copy is of one moment, whatever is committed between its steps', async (t) => {
  const directory = temporaryDirectory(t)
  const [from, to] = [join(directory, 'messages.db'), join(directory, 'copy.db')]
  createPrivateFile(from)
  const writer = new Writer(from)
  t.after(() => writer.close())
  const store = (body: string) => {
    writer.insert(packBatch([intakeWith(change({ messages: [aText({ text: { body } })] }))]))
  }
  for (let i = 0; i < LARGE; i++) store(randomBytes(512 * 1024).toString('hex'))
  let steps = 0
  const onProgress = () => {
    if (++steps <= MEANWHILE) store('late')
  }
  const { messages } = await copyDatabase({ from, to, onProgress })
  assert.ok(steps > 0, 'it was copied in several steps')
  assert.equal(messages, LARGE)
  const copy = new DatabaseSync(to, { readOnly: true })
  t.after(() => copy.close())
  assert.equal(copy.prepare('select count(*) as n from messages').get()?.['n'], LARGE)
})
