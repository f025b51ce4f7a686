import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { packBatch } from '../../../../src/app/store/sqlite/batch.ts'
import { SqliteThreads } from '../../../../src/app/store/sqlite/sqlite-threads.ts'
import { aMessage, intakeOf } from '../../../support/a-message.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

function newThreads(test: TestContext) {
  const file = join(temporaryDirectory(test), 'messages.db')
  return { file, threads: new SqliteThreads({ messages: file, directory: null }) }
}

describe('the threads of a SQLite file', () => {
  for (const name of ['writer', 'lists', 'searches'] as const) {
    it(`are watched, each of them: ${name}`, async (test) => {
      const { threads } = newThreads(test)
      const ended = new Promise<Error>((resolve) => threads.onEnd(resolve))
      await threads.open()
      await threads[name].close()
      assert.match((await ended).message, /has ended/)
      await threads.close({ hasFailed: false })
    })
  }

  it('leave the log to the next start after a failure, and else fold it into the file', async (test) => {
    for (const hasFailed of [true, false]) {
      const { file, threads } = newThreads(test)
      await threads.open()
      await threads.writer.call('insert', packBatch([intakeOf(aMessage())]))
      const before = statSync(file).size
      await threads.close({ hasFailed })
      assert.equal(existsSync(`${file}-wal`), hasFailed)
      assert.equal(statSync(file).size > before, !hasFailed)
    }
  })
})
