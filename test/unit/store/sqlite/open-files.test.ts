// Files that are not what was opened any more are told from those that only SQLite wrote to.
import assert from 'node:assert/strict'
import { copyFileSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import {
  checkpoint,
  createPrivateFile,
  emptyLog,
  openWriter,
} from '../../../../src/app/store/sqlite/connection.ts'
import { OpenFiles } from '../../../../src/app/store/sqlite/open-files.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

type Opened = { readonly files: OpenFiles; readonly database: DatabaseSync }

function opened(t: TestContext, file: string): Opened {
  createPrivateFile(file)
  const files = new OpenFiles(file)
  const database = openWriter(file)
  database.exec('create table if not exists facts (text text not null)')
  files.takeLog()
  t.after(() => {
    database.close()
    files.close()
  })
  return { files, database }
}

function grow({ database }: Pick<Opened, 'database'>): void {
  const insert = database.prepare('insert into facts values (?)')
  for (let i = 0; i < 20; i++) insert.run('text '.repeat(1000))
}

const isInPlace = ({ files }: Opened) => files.requireInPlace(assert.fail)

test('commits, checkpoints and an emptied log leave the files in place, of two connections too', (t) => {
  const file = join(temporaryDirectory(t), 'messages.db')
  const both = [opened(t, file), opened(t, file)]
  for (let round = 0; round < 10; round++) {
    for (const each of both) {
      grow(each)
      for (const other of both) isInPlace(other)
      checkpoint(each.database)
      for (const other of both) isInPlace(other)
      emptyLog(each.database)
      for (const other of both) isInPlace(other)
    }
  }
})

test('an earlier copy over the file is found, also one that has a log', (t) => {
  const file = join(temporaryDirectory(t), 'messages.db')
  const ours = opened(t, file)
  emptyLog(ours.database)
  copyFileSync(file, `${file}.earlier`)
  grow(ours)
  emptyLog(ours.database)
  isInPlace(ours)
  copyFileSync(`${file}.earlier`, file)
  assert.throws(() => isInPlace(ours), { name: 'StoreFailedError', message: /was overwritten/ })
})

test('so is a file that was emptied, and a copy that has no log', (t) => {
  for (const change of [
    (file: string) => truncateSync(file, 0),
    (file: string) => {
      const { database } = opened(t, `${file}.other`)
      grow({ database })
      database.exec('pragma journal_mode = delete')
      copyFileSync(`${file}.other`, file)
    },
  ]) {
    const file = join(temporaryDirectory(t), 'messages.db')
    const ours = opened(t, file)
    emptyLog(ours.database)
    isInPlace(ours)
    change(file)
    assert.throws(() => isInPlace(ours), { name: 'StoreFailedError', message: /was overwritten/ })
  }
})

test('so is a name that can not be followed any more', (t) => {
  const file = join(temporaryDirectory(t), 'messages.db')
  const ours = opened(t, file)
  renameSync(file, `${file}.elsewhere`)
  symlinkSync(file, file)
  assert.throws(() => isInPlace(ours), {
    name: 'StoreFailedError',
    message: /messages\.db can't be looked at\.$/,
  })
})

test('so is a link that names another file', (t) => {
  const directory = temporaryDirectory(t)
  const [link, file] = [join(directory, 'link.db'), join(directory, 'messages.db')]
  createPrivateFile(file)
  symlinkSync(file, link)
  const ours = opened(t, link)
  isInPlace(ours)
  copyFileSync(file, `${file}.other`)
  rmSync(link)
  symlinkSync(`${file}.other`, link)
  assert.throws(() => ours.files.requireInPlace(() => {}), /link\.db was deleted or replaced/)
})

test('the log is saved before it is told that it, or its database, has lost its name', (t) => {
  for (const [suffix, isSaved] of [
    ['', true],
    ['-wal', true],
    ['-shm', false],
  ] as const) {
    const file = join(temporaryDirectory(t), 'messages.db')
    const ours = opened(t, file)
    renameSync(`${file}${suffix}`, `${file}.elsewhere`)
    let saved = false
    assert.throws(
      () =>
        ours.files.requireInPlace(() => {
          saved = true
        }),
      { name: 'StoreFailedError', message: new RegExp(`\\.db${suffix} was deleted or replaced`) },
    )
    assert.equal(saved, isSaved, suffix)
  }
})
