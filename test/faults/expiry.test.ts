// Gigabytes of raw bodies expire at once: the log stays short, messages are stored meanwhile, and a disk
// that is nearly full stays as it is.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { openSqliteStore } from '../../src/app/store/sqlite/sqlite-store.ts'
import type { ExpiryStep, MessageStore } from '../../src/app/store/store.ts'
import { aMessage, insertAll, intakeOf } from '../support/a-message.ts'
import { readinessOf } from '../support/service.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'
import { Sender } from './sender.ts'
import { newSetting, seedOf } from './setting.ts'
import { newSmallDisk, noSmallDisks } from './small-disk.ts'

const MIB = 1024 * 1024
const DAY_MS = 24 * 60 * 60 * 1000
/** Of a few dozen kilobytes each in the logs, with the index. */
const MESSAGES = 20
/** What a step frees, and what was stored beside it. */
const SHORT_LOG = 8 * MIB

/** A database with so many bodies of a megabyte, which no compression makes smaller, of some days ago. */
async function fill(file: string, bodies: number, receivedAt: number): Promise<void> {
  const store = await openSqliteStore({ file, onIndexError: assert.ifError })
  for (let n = 0; n < bodies; n++) {
    await store.insert([{ ...intakeOf(aMessage({ body: randomBytes(MIB) })), receivedAt }])
  }
  await store.close()
}

function bodiesIn(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true })
  const { count } = database.prepare('select count(*) as count from intakes').get() as {
    count: number
  }
  database.close()
  return count
}

/** The longest that a log has been, in bytes. */
function watchLog(test: TestContext, file: string): { readonly longest: () => number } {
  let longest = 0
  const look = () => {
    longest = Math.max(longest, statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0)
  }
  const timer = setInterval(look, 1)
  test.after(() => clearInterval(timer))
  return {
    longest: () => {
      look()
      return longest
    },
  }
}

async function openExpiring(t: TestContext, bodies: number) {
  const file = join(temporaryDirectory(t), 'messages.db')
  await fill(file, bodies, Date.now() - DAY_MS)
  const log = watchLog(t, file)
  const store = await openSqliteStore({ file, onIndexError: assert.ifError })
  t.after(() => store.close())
  return { file, log, store }
}

/** As retention does it, until all has expired or something holds it up. */
async function expire(store: MessageStore, between = async () => {}): Promise<ExpiryStep> {
  let step: ExpiryStep = 'more'
  while (step === 'more') {
    step = await store.expireIntakes(Date.now() - DAY_MS / 2)
    await between()
  }
  return step
}

test('the log stays short while large bodies expire, and messages are stored meanwhile', async (t) => {
  const { file, log, store } = await openExpiring(t, 200)
  let stored = 0
  const storeOne = async () => {
    await insertAll(store, [aMessage()])
    stored++
  }
  assert.equal(await expire(store, storeOne), 'done')
  assert.ok(log.longest() < SHORT_LOG, `${log.longest()} bytes`)
  assert.ok(stored > 200 / 4, `${stored} steps`)
  assert.equal(bodiesIn(file), stored)
  assert.equal((await store.stats()).totalMessages, 200 + stored)
})

test('a reader that holds the log holds up what expires, and nothing else', async (t) => {
  const { file, log, store } = await openExpiring(t, 40)
  const reader = new DatabaseSync(file, { readOnly: true })
  reader.exec('begin; select count(*) from intakes')
  for (let tries = 0; tries < 20; tries++) {
    const step = await expire(store)
    assert.ok(typeof step === 'object')
    assert.match(step.heldBy, /^a read of the database file does not end/)
    assert.ok(step.againMs <= 1000, 'reads that follow each other leave but moments')
    await insertAll(store, [aMessage()])
  }
  assert.ok(log.longest() < SHORT_LOG, `${log.longest()} bytes`)
  assert.ok(bodiesIn(file) >= 40 + 20 - 4)
  reader.close()
  assert.equal(await expire(store), 'done')
  assert.equal(bodiesIn(file), 20)
})

test('a disk that is nearly full is enough for large bodies to expire, and the service stays ready', {
  skip: noSmallDisks,
}, async (t) => {
  const disk = await newSmallDisk(t, 64)
  const { directory, via, seen } = disk
  await fill(join(seen, 'messages.db'), 24, Date.now() - 2 * DAY_MS)
  const setting = newSetting(t, { directory, via })
  const service = await setting.start({ RAW_RETENTION_DAYS: '3' })
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  assert.equal((await service.stop()).code, 0)
  disk.fill()
  disk.freeSome(3)
  const again = await setting.start({ RAW_RETENTION_DAYS: '1' })
  const file = join(seen, 'messages.db')
  await until('all has expired', async () => {
    assert.equal(await readinessOf(again), 200)
    if (sender.sent.size < MESSAGES) await sender.sendOne(again.url)
    return bodiesIn(file) === MESSAGES
  })
  assert.deepEqual([...sender.statuses.keys()], [200])
  assert.equal((await again.stop()).code, 0)
})

test('a full disk on which nothing can expire stays one, however often it is tried', {
  skip: noSmallDisks,
}, async (t) => {
  const disk = await newSmallDisk(t, 64)
  const file = join(disk.seen, 'messages.db')
  await fill(file, 1, Date.now() - DAY_MS)
  const store = await openSqliteStore({ file, onIndexError: () => {} })
  t.after(() => store.close())
  disk.fill()
  await assert.rejects(insertAll(store, [aMessage({ body: randomBytes(MIB) })]))
  await assert.rejects(store.probe())
  const step = await expire(store)
  assert.ok(typeof step === 'object')
  assert.match(step.heldBy, /^the disk of the database has no room/)
  await assert.rejects(store.probe())
  disk.free()
  assert.equal(await expire(store), 'done')
  await store.probe()
})

test('a deletion takes at most half of the room that the disk has: messages come meanwhile', {
  skip: noSmallDisks,
}, async (t) => {
  const disk = await newSmallDisk(t, 64)
  const file = join(disk.seen, 'messages.db')
  await fill(file, 4, Date.now() - DAY_MS)
  disk.fill()
  disk.freeSome(3)
  const store = await openSqliteStore({ file, onIndexError: assert.ifError })
  t.after(() => store.close())
  const left: number[] = []
  const step = async () => {
    left.push(bodiesIn(file))
  }
  assert.equal(await expire(store, step), 'done')
  assert.deepEqual(left, [3, 2, 1, 0, 0])
})
