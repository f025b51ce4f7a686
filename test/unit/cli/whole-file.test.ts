import assert from 'node:assert/strict'
import fs, { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { UsageError } from '../../../src/app/cli/command.ts'
import { requireOther, writeWholeFile } from '../../../src/app/cli/whole-file.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

test('a file is for its owner alone, however it was made', async (t) => {
  const file = join(temporaryDirectory(t), 'copy')
  await writeWholeFile({ file, force: false }, async (to) => writeFileSync(to, '', { mode: 0o644 }))
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('signals have their usual effect again once a file is written, or could not be', async (t) => {
  const file = join(temporaryDirectory(t), 'copy')
  const listeners = () =>
    ['SIGTERM', 'SIGINT', 'SIGHUP'].map((signal) => process.listenerCount(signal))
  const before = listeners()
  for (const write of [writeFileSync, () => assert.fail('no room')]) {
    const writing = writeWholeFile({ file, force: true }, async (to) => {
      assert.notDeepEqual(listeners(), before)
      write(to, '')
    })
    await Promise.allSettled([writing])
    assert.deepEqual(listeners(), before)
  }
})

test('who was quicker keeps the name of a file that may not be replaced, and nothing is left', async (t) => {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'copy')
  const writing = writeWholeFile({ file, force: false }, async (to) => {
    writeFileSync(to, 'late')
    writeFileSync(file, 'quicker')
  })
  await assert.rejects(writing, UsageError)
  assert.equal(readFileSync(file, 'utf8'), 'quicker')
  assert.deepEqual(readdirSync(directory), ['copy'])
})

test('a file is on its disk before it has its name, and the name before it is said to be there', async (t) => {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'copy')
  const done: string[] = []
  const { fsyncSync, renameSync } = fs
  t.mock.method(fs, 'fsyncSync', (descriptor: number) => {
    fsyncSync(descriptor)
    const { ino } = fs.fstatSync(descriptor)
    done.push(ino === statSync(directory).ino ? 'its name is flushed' : 'it is flushed')
  })
  t.mock.method(fs, 'renameSync', (from: string, to: string) => {
    renameSync(from, to)
    done.push('it is named')
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  await writeWholeFile({ file, force: false }, async (to) => writeFileSync(to, 'all of it'))
  assert.deepEqual(done, ['it is flushed', 'it is named', 'its name is flushed'])
})

test('a file beside which there is a log of a database, of either kind, is not replaced', async (t) => {
  for (const log of ['copy-wal', 'copy-journal']) {
    const directory = temporaryDirectory(t)
    writeFileSync(join(directory, log), '')
    const writing = writeWholeFile({ file: join(directory, 'copy'), force: true }, async () => {
      assert.fail('It was written.')
    })
    await assert.rejects(writing, new RegExp(`is in use as a database: there is .*${log}\\.$`))
  }
})

test('a file whose name is that of a log, of a database that is not there, is written', async (t) => {
  const file = join(temporaryDirectory(t), 'ship-journal')
  await writeWholeFile({ file, force: false }, async (to) => writeFileSync(to, 'fair wind'))
  assert.equal(readFileSync(file, 'utf8'), 'fair wind')
})

test('what a command reads is known by any path to it, also where it is not there yet', (t) => {
  const directory = temporaryDirectory(t)
  const there = join(directory, 'there')
  const elsewhere = join(directory, 'elsewhere')
  fs.mkdirSync(there)
  symlinkSync(there, elsewhere)
  const database = join(there, 'messages.db')
  writeFileSync(database, '')
  for (const [name, reason] of [
    ['messages.db', /is the database itself/],
    ['messages-search.db', /is the database itself/],
    ['api-key', /holds the key of the service/],
  ] as const) {
    assert.throws(() => requireOther(join(elsewhere, name), database), reason)
  }
  symlinkSync(database, join(directory, 'link.db'))
  assert.throws(() => requireOther(join(directory, 'link.db'), database), /is the database itself/)
  requireOther(join(elsewhere, 'copy.db'), database)
  requireOther(join(directory, 'nowhere', 'copy.db'), database)
})
