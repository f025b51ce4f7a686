import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { StoreFailedError } from '../../../../src/app/errors.ts'
import { packBatch } from '../../../../src/app/store/sqlite/batch.ts'
import { createPrivateFile } from '../../../../src/app/store/sqlite/connection.ts'
import { Writer } from '../../../../src/app/store/sqlite/writer.ts'
import { aMessage, intakeOf } from '../../../support/a-message.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

it('nothing more is stored once a commit has failed for good, although its cause has gone', (test) => {
  const file = join(temporaryDirectory(test), 'messages.db')
  createPrivateFile(file)
  const writer = new Writer(file)
  test.after(() => writer.close())
  const store = () => writer.insert(packBatch([intakeOf(aMessage())]))
  store()
  renameSync(file, `${file}.moved`)
  assert.throws(store, StoreFailedError)
  renameSync(`${file}.moved`, file)
  assert.throws(store, StoreFailedError)
  assert.throws(() => writer.probe(), StoreFailedError)
})
