import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packBatch } from '../../../../src/app/store/sqlite/batch.ts'
import { createPrivateFile } from '../../../../src/app/store/sqlite/connection.ts'
import { Writer } from '../../../../src/app/store/sqlite/writer.ts'
import { aText, change } from '../../../support/cloud-api.ts'
import { intakeWith } from '../../../support/cloud-intake.ts'
import { growthOf } from '../../../support/growth.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

/** A batch that edits one message, which is another one each time, so often. */
function editsOf(messageId: string, times: number) {
  const message = { type: 'text', text: { body: 'Hello again' } }
  const edit = { original_message_id: messageId, message }
  const edits = Array.from({ length: times }, () => aText({ type: 'edit', edit }))
  return packBatch([intakeWith(change({ messages: edits }))])
}

test('the time that edits of one message take grows as their number does', (t) => {
  const file = `${temporaryDirectory(t)}/messages.db`
  createPrivateFile(file)
  const writer = new Writer(file)
  t.after(() => writer.close())
  let messages = 0
  const growth = growthOf(
    500,
    (times) => times,
    (times) => writer.insert(editsOf(`wamid.EDITED${++messages}`, times)),
  )
  assert.ok(growth < 20, `eight times as many edits take ${growth.toFixed(1)} times as long`)
})
