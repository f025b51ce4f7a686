import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Intake } from '../../../../src/app/model/event.ts'
import { packBatch } from '../../../../src/app/store/sqlite/batch.ts'
import { BatchWriter } from '../../../../src/app/store/sqlite/batch-writer.ts'
import { anEdit, aStatus, aText, change } from '../../../support/cloud-api.ts'
import { intakeWith } from '../../../support/cloud-intake.ts'
import { countedDatabase } from '../../../support/counted-statements.ts'

/** A writer of batches, and how often the edits and the statuses of some message were looked for. */
function openWriter(test: TestContext) {
  const { database, countOf } = countedDatabase(test)
  const batches = new BatchWriter(database)
  const [edits, statuses] = [
    countOf('select kind, text from events', 'get'),
    countOf('select type as status', 'all'),
  ]
  return {
    insert: (...intakes: Intake[]) => batches.insert(packBatch(intakes)),
    undo() {
      database.exec('rollback')
      batches.reset()
    },
    begin: () => database.exec('begin'),
    lookedFor: () => ({ edits: edits(), statuses: statuses() }),
  }
}

const message = (id: string) => intakeWith(change({ messages: [aText({ id })] }))
const happened = (id: string) =>
  intakeWith(
    change({ messages: [anEdit(id, 'One'), anEdit(id, 'Two')] }),
    change({ statuses: [aStatus(id, 'sent'), aStatus(id, 'read')] }),
  )

describe('what happened to the messages of a batch', () => {
  it('is looked for once for each of them, and not again with the next batch', (test) => {
    const { insert, lookedFor } = openWriter(test)
    insert(message('a'), happened('a'))
    assert.deepEqual(lookedFor(), { edits: 1, statuses: 1 })
    insert(message('b'))
    assert.deepEqual(lookedFor(), { edits: 2, statuses: 1 })
  })

  it('is not looked for after that batch was undone', (test) => {
    const { begin, insert, undo, lookedFor } = openWriter(test)
    begin()
    assert.throws(() => insert(message('a'), happened('a'), { ...message('c'), receivedAt: 0.5 }))
    undo()
    insert(message('b'))
    assert.deepEqual(lookedFor(), { edits: 1, statuses: 0 })
  })
})
