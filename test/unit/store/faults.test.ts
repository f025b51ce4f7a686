import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { StoreFailedError, StoreUnavailableError } from '../../../src/app/errors.ts'
import { storeError } from '../../../src/app/store/sqlite/faults.ts'

/** An error as node:sqlite throws it, with an extended result code. */
function sqliteError(errcode: number): Error {
  return Object.assign(new Error('near'), { code: 'ERR_SQLITE_ERROR', errcode, errstr: 'reason' })
}

/** What `work` throws. */
function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  assert.fail('It threw nothing.')
}

describe('storeError', () => {
  for (const [name, errcode] of [
    ['SQLITE_BUSY', 5],
    ['SQLITE_BUSY_SNAPSHOT', 517],
    ['SQLITE_LOCKED', 6],
    ['SQLITE_LOCKED_SHAREDCACHE', 262],
    ['SQLITE_READONLY', 8],
    ['SQLITE_READONLY_DIRECTORY', 1544],
    ['SQLITE_FULL', 13],
    ['SQLITE_CANTOPEN', 14],
    ['SQLITE_PROTOCOL', 15],
    ['SQLITE_IOERR_SHMSIZE', 4874],
  ] as const) {
    it(`takes ${name} for a store that may serve again later`, () => {
      const error = sqliteError(errcode)
      const known = storeError(error)
      assert.ok(known instanceof StoreUnavailableError)
      assert.equal(known.cause, error)
      assert.match(known.message, new RegExp(`\\b${errcode}\\b.*reason`))
    })
  }

  for (const [name, errcode] of [
    ['SQLITE_IOERR', 10],
    ['SQLITE_IOERR_WRITE', 778],
    ['SQLITE_IOERR_FSYNC', 1034],
    ['SQLITE_IOERR_DIR_FSYNC', 1290],
    ['SQLITE_CORRUPT', 11],
    ['SQLITE_CORRUPT_INDEX', 779],
    ['SQLITE_NOTADB', 26],
  ] as const) {
    it(`takes ${name} for a store that can't be trusted any more`, () => {
      const error = sqliteError(errcode)
      const known = storeError(error)
      assert.ok(known instanceof StoreFailedError)
      assert.equal(known.cause, error)
      assert.match(known.message, new RegExp(`\\b${errcode}\\b.*reason`))
    })
  }

  it('knows the errors that node:sqlite really throws', () => {
    const database = new DatabaseSync(':memory:')
    database.exec('create table one (id integer primary key) strict; pragma query_only = on')
    const refused = thrownBy(() => database.exec('insert into one values (1)'))
    assert.ok(storeError(refused) instanceof StoreUnavailableError)
    database.exec('pragma query_only = off; pragma max_page_count = 2')
    const full = thrownBy(() => database.exec('create table two (a); create table three (a)'))
    assert.ok(storeError(full) instanceof StoreUnavailableError)
    database.close()
  })

  it('leaves a mistake in a statement as it is: that is a fault of the program', () => {
    const database = new DatabaseSync(':memory:')
    const mistake = thrownBy(() => database.exec('selekt 1'))
    assert.equal(storeError(mistake), mistake)
    database.exec('create table one (id integer primary key) strict; insert into one values (1)')
    const violation = thrownBy(() => database.exec('insert into one values (1)'))
    assert.equal(storeError(violation), violation)
    database.close()
  })

  it('leaves whatever is no error of SQLite as it is', () => {
    const others = [
      new Error('other'),
      Object.assign(new Error('x'), { errcode: '5' }),
      'text',
      null,
    ]
    for (const error of others) assert.equal(storeError(error), error)
  })
})
