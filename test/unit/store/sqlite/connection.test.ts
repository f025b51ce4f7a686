// What the connections to a file promise beside what is stored through them.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { ConfigurationError } from '../../../../src/app/errors.ts'
import {
  BUSY_TIMEOUT_MS,
  checkpoint,
  createPrivateFile,
  openReader,
  openWriter,
  pragma,
  requireDurability,
  restartLog,
  useWriteAheadLog,
} from '../../../../src/app/store/sqlite/connection.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const MIB = 1024 * 1024
const LOG_LIMIT_BYTES = 64 * MIB

function newFile(test: TestContext): string {
  return join(temporaryDirectory(test), 'messages.db')
}

function closedAfter(test: TestContext, database: DatabaseSync): DatabaseSync {
  test.after(() => database.close())
  return database
}

/** A connection that writes, and a table. */
function aWriter(test: TestContext, file: string): DatabaseSync {
  const database = closedAfter(test, openWriter(file))
  database.exec('create table facts (body blob not null)')
  return database
}

describe('a file that messages are to be in', () => {
  it('is nobody else’s to read from its first moment on, whatever the umask', (test) => {
    const file = newFile(test)
    const umask = process.umask(0)
    test.after(() => process.umask(umask))
    createPrivateFile(file)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })
})

describe('the connection that commits', () => {
  it('is refused on a SQLite that could corrupt the file, and on none that came after', (test) => {
    const file = newFile(test)
    const { prepare } = DatabaseSync.prototype
    let version = ''
    test.mock.method(DatabaseSync.prototype, 'prepare', function (this: DatabaseSync, sql: string) {
      const isAsked = sql.includes('sqlite_version()')
      return prepare.call(this, isAsked ? `select '${version}' as version` : sql)
    })
    for (version of ['3.51.2', '3.50.9', '2.99.99', '3.51']) {
      assert.throws(() => openWriter(file), {
        name: ConfigurationError.name,
        message: new RegExp(`^SQLite ${version} is older than 3\\.51\\.3: use a Node\\.js`),
      })
    }
    for (version of ['3.51.3', '3.51.10', '3.52.0', '4.0.0']) openWriter(file).close()
  })

  it('leaves it to its caller when the log is copied', (test) => {
    const file = newFile(test)
    const database = aWriter(test, file)
    checkpoint(database)
    const before = statSync(file).size
    const insert = database.prepare('insert into facts values (zeroblob(?))')
    for (let i = 0; i < 8; i++) insert.run(MIB)
    assert.equal(statSync(file).size, before)
    checkpoint(database)
    assert.ok(statSync(file).size > 8 * MIB)
  })

  it('gives back what a log took that grew longer than it may stay', (test) => {
    const file = newFile(test)
    const database = aWriter(test, file)
    const insert = database.prepare('insert into facts values (zeroblob(?))')
    insert.run(LOG_LIMIT_BYTES + MIB)
    assert.ok(statSync(`${file}-wal`).size > LOG_LIMIT_BYTES)
    assert.equal(restartLog(database), true)
    insert.run(1)
    assert.ok(statSync(`${file}-wal`).size <= LOG_LIMIT_BYTES)
  })

  it('waits for no reader where the log is to begin anew, and for a lock afterwards as before', (test) => {
    const file = newFile(test)
    const database = aWriter(test, file)
    const reader = closedAfter(test, openReader(file))
    const read = () => reader.prepare('select * from facts').all()
    const write = () => database.exec('insert into facts values (zeroblob(1))')
    // Of what was there before the last commit, and of all there is: the one keeps it from being copied.
    for (const steps of [
      [read, write],
      [write, read],
    ]) {
      reader.exec('begin')
      for (const step of steps) step()
      const start = performance.now()
      assert.equal(restartLog(database), false)
      assert.ok(performance.now() - start < BUSY_TIMEOUT_MS)
      assert.equal(pragma(database, 'busy_timeout'), BUSY_TIMEOUT_MS)
      reader.exec('commit')
      assert.equal(restartLog(database), true)
    }
  })

  it('is proved to fsync its commits', (test) => {
    const database = aWriter(test, newFile(test))
    requireDurability(database)
    for (const lower of ['off', 'normal']) {
      database.exec(`pragma synchronous = ${lower}`)
      assert.throws(() => requireDurability(database), /runs with synchronous=\d and not FULL/)
    }
  })

  it('is refused where there can be no write-ahead log', (test) => {
    const database = closedAfter(test, new DatabaseSync(':memory:'))
    assert.throws(() => useWriteAheadLog(database), /can't use a write-ahead log .*"memory"/)
  })
})

describe('a connection that reads', () => {
  it('can not write', (test) => {
    const file = newFile(test)
    aWriter(test, file)
    const reader = closedAfter(test, openReader(file))
    assert.throws(() => reader.exec('delete from facts'), /readonly/)
  })
})
