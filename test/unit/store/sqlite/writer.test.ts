import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it, type TestContext } from 'node:test'
import { StoreFailedError, StoreUnavailableError } from '../../../../src/app/errors.ts'
import { UNFINISHED } from '../../../../src/app/store/sql/tables.ts'
import { packBatch } from '../../../../src/app/store/sqlite/batch.ts'
import { createPrivateFile } from '../../../../src/app/store/sqlite/connection.ts'
import { Writer } from '../../../../src/app/store/sqlite/writer.ts'
import { aMessage, intakeOf } from '../../../support/a-message.ts'
import { anEdit, aStatus, aText, change } from '../../../support/cloud-api.ts'
import { intakeWith } from '../../../support/cloud-intake.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

/** A writer on a file of its own, and another connection to it. */
function aWriter(test: TestContext) {
  const file = join(temporaryDirectory(test), 'messages.db')
  createPrivateFile(file)
  const writer = new Writer(file)
  test.after(() => writer.close())
  const other = new DatabaseSync(file)
  test.after(() => other.close())
  return { file, writer, other, store: () => writer.insert(packBatch([intakeOf(aMessage())])) }
}

it('nothing more is stored once a commit has failed for good, although its cause has gone', (test) => {
  for (const suffix of ['', '-wal', '-shm']) {
    const { file, writer, store } = aWriter(test)
    store()
    renameSync(`${file}${suffix}`, `${file}.moved`)
    assert.throws(store, StoreFailedError, suffix)
    renameSync(`${file}.moved`, `${file}${suffix}`)
    assert.throws(store, StoreFailedError)
    assert.throws(() => writer.probe(), StoreFailedError)
  }
})

it('a file that is not in its place is noticed without a commit too', (test) => {
  const { file, writer } = aWriter(test)
  writer.probe()
  renameSync(file, `${file}.moved`)
  assert.throws(() => writer.probe(), StoreFailedError)
  renameSync(`${file}.moved`, file)
})

it('a database that a newer version has changed meanwhile takes no messages', (test) => {
  const { writer, other } = aWriter(test)
  other.exec('pragma user_version = 99')
  assert.throws(() => writer.probe(), /schema is at version 99/)
})

it('a copy that is not complete is not written to', (test) => {
  const { file, other } = aWriter(test)
  other.prepare('update store set identity = ?').run(`copy${UNFINISHED}`)
  assert.throws(() => new Writer(file), /a copy that is not complete/)
})

it('a commit is tried by who asks where the last one could not be made, and only then', (test) => {
  const { writer, other, store } = aWriter(test)
  const openedAt = () => other.prepare('select opened_at from store').get()?.['opened_at']
  const stored = packBatch([intakeOf(aMessage())])
  other.exec('update store set opened_at = 0')
  writer.insert(stored)
  writer.probe()
  assert.equal(openedAt(), 0)
  const soon = Date.now() + 60_000
  assert.equal(writer.findExpired(soon), 'found')
  other.exec('delete from intakes; begin immediate')
  assert.throws(store, StoreUnavailableError)
  assert.throws(() => writer.probe(), StoreUnavailableError)
  other.exec('commit')
  assert.equal(writer.deleteExpired(soon), true, 'nothing is left, which is no commit')
  writer.insert(stored)
  writer.probe()
  assert.notEqual(openedAt(), 0)
  other.exec('update store set opened_at = 0')
  writer.probe()
  assert.equal(openedAt(), 0)
})

it('nothing of a batch that could not be stored comes with the next one', (test) => {
  const undone = intakeWith(
    change({ messages: [aText({ id: 'b' }), aText({ id: 'd', from: '14155550200' })] }),
    change({ messages: [anEdit('a', 'Edited', { id: 'e' })] }),
    change({ statuses: [aStatus('a', 'read')] }),
  )
  const stored = [
    intakeWith(change({ messages: [aText({ id: 'a' })] })),
    intakeWith(change({ messages: [aText({ id: 'c' })] })),
  ] as const
  const dumps = [false, true].map((fails) => {
    const { writer, other } = aWriter(test)
    writer.insert(packBatch([stored[0]]))
    const atFault = { ...intakeWith(change({ messages: [aText()] })), receivedAt: 0.5 }
    if (fails) assert.throws(() => writer.insert(packBatch([undone, atFault])))
    writer.insert(packBatch([stored[1]]))
    return [
      'select key, messages from contacts order by key',
      'select counter, key, count from counts order by counter, key',
      'select sender, messages from senders order by sender',
      'select message_id, status from message_states order by message_id',
      'select seq, message_id, text from messages order by seq',
      'select last_seq, last_intake, messages, senders from totals',
    ].map((sql) => other.prepare(sql).all())
  })
  assert.deepEqual(dumps[1], dumps[0])
})

it('a batch that is stored already writes nothing', (test) => {
  const { writer } = aWriter(test)
  const profile = { profile: { name: 'Ada', username: 'ada' }, wa_id: '14155550100' }
  const intake = intakeWith(
    change({ messages: [aText({ id: 'a', from_user_id: 'US.1' })], contacts: [profile] }),
    change({ messages: [anEdit('a', 'Edited', { id: 'e' })] }),
    change({ statuses: [aStatus('a', 'read')] }),
  )
  const { logFrames } = writer.insert(packBatch([intake]))
  assert.equal(writer.insert(packBatch([intake])).logFrames, logFrames)
})

it('what comes under a number of the sequence that is taken is a fault, and no copy', (test) => {
  const { writer, other, store } = aWriter(test)
  const read = (id: string) => {
    const statuses = [aStatus(id, 'read')]
    return writer.insert(packBatch([intakeWith(change({ statuses }))]))
  }
  store()
  read('a')
  other.exec('update totals set last_seq = 0')
  assert.throws(store, /UNIQUE constraint failed: messages\.seq/)
  other.exec('update totals set last_seq = 1')
  assert.throws(() => read('b'), /UNIQUE constraint failed: events\.seq/)
})
