// A log that lost what was acknowledged is told from one that a crash cut off.
import assert from 'node:assert/strict'
import fs, {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { randomFrom } from '../../../../src/app/cli/random.ts'
import { openWriter } from '../../../../src/app/store/sqlite/connection.ts'
import { requireSoundLog } from '../../../../src/app/store/sqlite/sound-log.ts'
import { openFilesIn, TELLS_OPEN_FILES } from '../../../support/open-files.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const HEADER = 32
const FRAME = 24 + 4096
const TRANSACTIONS = 20

type Killed = {
  readonly file: string
  readonly log: Buffer
  /** Bytes of the log up to the end of each transaction. */
  readonly ends: readonly number[]
}

/** A database with transactions in its log, as a process that was killed leaves it. */
function killed(t: TestContext, { generations = 1 } = {}): Killed {
  const directory = temporaryDirectory(t)
  const original = join(directory, 'original.db')
  const database = openWriter(original)
  database.exec('create table facts (id integer primary key, text text not null)')
  const insert = database.prepare('insert into facts (text) values (?)')
  let ends: number[] = []
  for (let generation = 0; generation < generations; generation++) {
    database.exec('pragma wal_checkpoint(restart)')
    // Each generation is shorter than the one before, whose frames stay behind it.
    ends = transactions(database, TRANSACTIONS - 5 * generation, (i) => {
      for (let row = 0; row <= i % 4; row++) insert.run(`${generation} ${i} `.repeat(400))
    })
  }
  const file = join(directory, 'killed.db')
  for (const suffix of ['', '-wal']) copyFileSync(`${original}${suffix}`, `${file}${suffix}`)
  database.close()
  return { file, log: readFileSync(`${file}-wal`), ends }
}

function transactions(database: DatabaseSync, count: number, work: (i: number) => void): number[] {
  const length = database.prepare('pragma wal_checkpoint(noop)')
  return Array.from({ length: count }, (_, i) => {
    database.exec('begin')
    work(i)
    database.exec('commit')
    const { log } = length.get() as { log: number }
    return HEADER + log * FRAME
  })
}

function change({ file, log }: Killed, apply: (bytes: Buffer) => Buffer): void {
  writeFileSync(`${file}-wal`, apply(Buffer.from(log)))
}

function flipped(bit: number) {
  return (bytes: Buffer): Buffer => {
    const at = bit >> 3
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
    return bytes
  }
}

function facts(file: string): number {
  const database = new DatabaseSync(file)
  const { count } = database.prepare('select count(*) as count from facts').get() as {
    count: number
  }
  database.close()
  return count
}

test('a log as a killed process left it is sound, behind which older frames are too', (t) => {
  for (const generations of [1, 3]) {
    const { file, log, ends } = killed(t, { generations })
    assert.equal(generations > 1, log.length > (ends.at(-1) ?? 0))
    requireSoundLog(file)
  }
})

test('so is no log, an empty one, and one that ends anywhere', (t) => {
  const state = killed(t)
  const random = randomFrom(1)
  const lengths = Array.from({ length: 200 }, () => Math.floor(random() * state.log.length))
  for (const length of [0, HEADER, ...state.ends, ...lengths]) {
    change(state, (bytes) => bytes.subarray(0, length))
    requireSoundLog(state.file)
  }
  requireSoundLog(join(temporaryDirectory(t), 'missing.db'))
})

test('any flipped bit before the last two transactions is found, where the readable part ends', (t) => {
  const state = killed(t, { generations: 2 })
  const known = state.ends.at(-3) ?? 0
  const random = randomFrom(2)
  for (let trial = 0; trial < 2000; trial++) {
    const bit = Math.floor(random() * known * 8)
    const at = bit >> 3
    const offset = at < HEADER ? 0 : at - ((at - HEADER) % FRAME)
    change(state, flipped(bit))
    assert.throws(
      () => requireSoundLog(state.file),
      { message: new RegExp(`^The log killed\\.db-wal is damaged at byte ${offset}, `) },
      `bit ${bit}`,
    )
  }
})

test('so is one in a page of the last transaction but one, which had been fsynced too', (t) => {
  const state = killed(t, { generations: 2 })
  const [begin, end] = [state.ends.at(-3) ?? 0, state.ends.at(-2) ?? 0]
  for (let frame = begin; frame < end; frame += FRAME) {
    change(state, flipped(8 * (frame + 24 + 100)))
    assert.throws(() => requireSoundLog(state.file), {
      message: new RegExp(`^The log killed\\.db-wal is damaged at byte ${frame}, `),
    })
  }
})

test('so is a header that was zeroed', (t) => {
  const state = killed(t)
  change(state, (bytes) => bytes.fill(0, 0, HEADER))
  assert.throws(() => requireSoundLog(state.file), /killed\.db-wal is damaged at byte 0, /)
})

test('a log that can not be opened is not taken for none', (t) => {
  const state = killed(t)
  rmSync(`${state.file}-wal`)
  symlinkSync(`${state.file}-wal`, `${state.file}-wal`)
  assert.throws(() => requireSoundLog(state.file), { code: 'ELOOP' })
})

test('what was looked at is not left open', { skip: !TELLS_OPEN_FILES }, (t) => {
  const state = killed(t)
  requireSoundLog(state.file)
  assert.deepEqual(openFilesIn(dirname(state.file)), [])
})

test('a link to a database has its log beside what it names', (t) => {
  const state = killed(t)
  const link = join(temporaryDirectory(t), 'link.db')
  symlinkSync(state.file, link)
  requireSoundLog(link)
  change(state, flipped(8 * (HEADER + 5 * FRAME + 100)))
  assert.throws(() => requireSoundLog(link), /^Error: The log killed\.db-wal is damaged at byte /)
})

test('the log of a database that a backup was put in the place of is refused, not read with it', (t) => {
  const state = killed(t)
  const backup = new DatabaseSync(state.file)
  backup.exec('pragma journal_mode = delete')
  backup.close()
  change(state, (bytes) => bytes)
  assert.throws(() => requireSoundLog(state.file), {
    message:
      /^The log killed\.db-wal is not of this database, .* remove killed\.db-wal and killed\.db-shm/,
  })
  for (const length of [0, HEADER]) {
    change(state, (bytes) => bytes.subarray(0, length))
    requireSoundLog(state.file)
  }
})

test('without the check, SQLite says nothing of what is missing', (t) => {
  const state = killed(t)
  change(state, flipped(8 * (HEADER + 5 * FRAME + 100)))
  assert.throws(() => requireSoundLog(state.file))
  const left = facts(state.file)
  assert.ok(left < 50, `${left} of 50 rows`)
})

test('a last transaction that is not whole was never acknowledged', (t) => {
  const state = killed(t, { generations: 2 })
  const [before, end] = [state.ends.at(-2) ?? 0, state.ends.at(-1) ?? 0]
  const random = randomFrom(3)
  for (let trial = 0; trial < 500; trial++) {
    const at = before + Math.floor(random() * (end - before))
    change(state, flipped(at * 8))
    requireSoundLog(state.file)
  }
})

test('nor was what a restart has begun to write over', (t) => {
  const state = killed(t)
  const [before, end] = [state.ends.at(-2) ?? 0, state.ends.at(-1) ?? 0]
  // The last one is torn at its first frame; the next process writes a shorter one in its place.
  change(state, flipped(8 * (before + 100)))
  const database = openWriter(state.file)
  database.exec("insert into facts (text) values ('short')")
  const shorter = readFileSync(`${state.file}-wal`)
  database.close()
  assert.equal(shorter.length, end, 'frames of the torn one are behind it')
  for (const torn of [shorter, flipped(8 * (before + 200))(Buffer.from(shorter))]) {
    writeFileSync(`${state.file}-wal`, torn)
    requireSoundLog(state.file)
  }
})

/** A database, and its log as it was before each time that it began anew: each shorter than the last one. */
function generationsOf(t: TestContext, count: number) {
  const file = join(temporaryDirectory(t), 'busy.db')
  const database = openWriter(file)
  database.exec('create table facts (count integer not null); insert into facts values (0)')
  // A transaction is a frame.
  const change = database.prepare('update facts set count = count + 1')
  const logs = Array.from({ length: count }, (_, generation) => {
    database.exec('pragma wal_checkpoint(restart)')
    transactions(database, 2 * (count - generation), () => change.run())
    return readFileSync(`${file}-wal`)
  })
  database.close()
  return { file, logs }
}

/** Writes the next log in the place of the one whose header was just read, as long as there are any. */
function replaceBehindHeaders(t: TestContext, log: string, logs: readonly Buffer[]) {
  const { readSync } = fs
  const replacing = { times: 0 }
  t.mock.method(fs, 'readSync', (...[handle, bytes, ...where]: Parameters<typeof readAt>) => {
    const read = readSync(handle, bytes, ...where)
    const next = logs[replacing.times]
    if (where[1] === HEADER && where[2] === 0 && next !== undefined) {
      replacing.times++
      writeFileSync(log, next)
    }
    return read
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  return replacing
}

function readAt(handle: number, bytes: Buffer, at: number, length: number, position: number) {
  return fs.readSync(handle, bytes, at, length, position)
}

test('a log that began anew while it was being read is not damaged', (t) => {
  const { file, logs } = generationsOf(t, 6)
  for (let restarts = 1; restarts < logs.length; restarts++) {
    writeFileSync(`${file}-wal`, logs[0] ?? '')
    const replacing = replaceBehindHeaders(t, `${file}-wal`, logs.slice(1, 1 + restarts))
    requireSoundLog(file)
    assert.equal(replacing.times, restarts)
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
})

test('one that begins anew at each look is not called damaged either', (t) => {
  const { file, logs } = generationsOf(t, 48)
  writeFileSync(`${file}-wal`, logs[0] ?? '')
  replaceBehindHeaders(t, `${file}-wal`, logs.slice(1))
  assert.throws(() => requireSoundLog(file), {
    message: /^The log busy\.db-wal changed at every look, .* Try again while less is stored/,
  })
})

test('damage behind a log that began anew is found all the same', (t) => {
  const { file, logs } = generationsOf(t, 8)
  writeFileSync(`${file}-wal`, logs[0] ?? '')
  const damaged = flipped(8 * (HEADER + 2 * FRAME + 100))(Buffer.from(logs[2] ?? ''))
  replaceBehindHeaders(t, `${file}-wal`, [...logs.slice(1, 2), damaged])
  assert.throws(() => requireSoundLog(file), {
    message: new RegExp(`is damaged at byte ${HEADER + 2 * FRAME}, `),
  })
})

test('two looks that do not agree are no damage', (t) => {
  const { file, logs } = generationsOf(t, 6)
  const [log, next] = [logs[0] ?? Buffer.of(), logs[1] ?? Buffer.of()]
  const torn = (bytes: Buffer, frame: number) =>
    flipped(8 * (HEADER + frame * FRAME + 100))(Buffer.from(bytes))
  for (const [what, shown] of [
    ['of one place', [torn(log, 2), torn(log, 3), log]],
    ['of the log as it is now', [torn(log, 0), next]],
    ['of one generation', [next, torn(next, 0), next]],
  ] as const) {
    writeFileSync(`${file}-wal`, log)
    const replacing = replaceBehindHeaders(t, `${file}-wal`, shown)
    assert.doesNotThrow(() => requireSoundLog(file), what)
    assert.equal(replacing.times, shown.length, what)
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
})

test('a log that is emptied just before it is looked at is none', (t) => {
  const state = killed(t)
  const { readSync } = fs
  t.mock.method(fs, 'readSync', (...[handle, bytes, ...where]: Parameters<typeof readAt>) => {
    // Whether the database has a log is read from one byte of it.
    if (where[1] === 1) change(state, (log) => log.subarray(0, 0))
    return readSync(handle, bytes, ...where)
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  requireSoundLog(state.file)
  assert.equal(readFileSync(`${state.file}-wal`).length, 0)
})

const WRITING = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(workerData)
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 40')
  database.exec('create table if not exists facts (id integer primary key, text text not null)')
  const insert = database.prepare('insert into facts (text) values (?)')
  parentPort.postMessage('writing')
  for (let i = 0; i < 3000; i++) insert.run('text '.repeat(2000))
  database.close()`

test('a log that is being written to, and begun anew, is sound at any moment', async (t) => {
  const file = join(temporaryDirectory(t), 'live.db')
  appendFileSync(file, '')
  const writer = new Worker(WRITING, { eval: true, workerData: file })
  const ended = new Promise((resolve) => writer.once('exit', resolve))
  await new Promise((resolve) => writer.once('message', resolve))
  let checks = 0
  let isWriting = true
  void ended.then(() => {
    isWriting = false
  })
  while (isWriting) {
    if (existsSync(`${file}-wal`)) requireSoundLog(file)
    checks++
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(await ended, 0)
  assert.ok(checks > 10, `${checks} checks`)
})
