// A server of PostgreSQL whose disk is full: that of its tables, or that of its write-ahead log.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PostgresServer } from '../support/postgres-server.ts'
import { readinessOf } from '../support/service.ts'
import { handOver } from '../support/unprivileged.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { postgresAnomalies } from './postgres-checker.ts'
import { Sender } from './sender.ts'
import { newSettingFor, type Sabotage, seedOf } from './setting.ts'
import { newSmallDisk, noSmallDisks, type SmallDisk } from './small-disk.ts'

/** A server on such a disk; resolves with the URL of an empty database. */
type Place = (disk: SmallDisk, t: TestContext) => Promise<{ server: PostgresServer; url: string }>

/** Messages after the disk was full that a service without a guard takes: less than are sent at once. */
const WITHOUT_ROOM = 10
const NO_ROOM = 'No space left on device'

/** A directory on the disk that a server may own, as the server sees it. */
function directoryOn({ directory, seen }: SmallDisk): string {
  handOver(seen)
  mkdirSync(join(seen, 'server'), { mode: 0o700 })
  handOver(join(seen, 'server'))
  return join(directory, 'server')
}

const tables: Place = async (disk, t) => {
  const server = await PostgresServer.start({ via: disk.via })
  t.after(() => server.remove())
  await server.query(`create tablespace small location '${directoryOn(disk)}'`)
  const url = await server.newDatabase()
  await server.query(`alter database ${new URL(url).pathname.slice(1)} set tablespace small`)
  return { server, url }
}

const log: Place = async (disk, t) => {
  const initdb = [`--waldir=${directoryOn(disk)}`, '--wal-segsize=1']
  // By itself it would try again at once, and might even have a little room for a while.
  const settings = ['restart_after_crash=off']
  const server = await PostgresServer.start({ via: disk.via, initdb, settings })
  t.after(() => server.remove())
  return { server, url: await server.newDatabase() }
}

/**
 * Whether a message found no room, or the server ended for want of it. What is done beside storing may
 * find none while there still is some for messages.
 */
function hasRefusedToStore(server: PostgresServer): boolean {
  return server.log
    .split(/(?=ERROR: |PANIC: )/)
    .filter((said) => said.includes(NO_ROOM))
    .some((said) => said.startsWith('PANIC') || said.includes('ingest_1('))
}

/** Sends until what finds no room has been answered. */
async function sendUntilFull(t: TestContext, place: Place, sabotage?: Sabotage) {
  const disk = await newSmallDisk(t, 32)
  const { server, url } = await place(disk, t)
  const service = await newSettingFor(url, t, sabotage).start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  disk.fill()
  let answeredBefore = Number.POSITIVE_INFINITY
  await sender.sendUntil(service.url, () => {
    const answered = sender.acknowledged
    if (answeredBefore > answered && hasRefusedToStore(server)) answeredBefore = answered
    return sender.statuses.has(503) || answered > answeredBefore + WITHOUT_ROOM
  })
  assert.ok(server.log.includes(NO_ROOM), 'the disk was full')
  const found = () => postgresAnomalies(url, sender.sent)
  return { server, service, sender, disk, found }
}

const PLACES = [
  ['tables', tables, 200],
  ['write-ahead log', log, 503],
] as const

for (const [what, place, read] of PLACES) {
  test(`PostgreSQL whose disk of its ${what} is full: 503, and it stores again once there is room`, {
    skip: noSmallDisks,
    timeout: 120_000,
  }, async (t) => {
    const { server, service, sender, disk, found } = await sendUntilFull(t, place)
    assert.deepEqual(new Set(sender.statuses.keys()), new Set([200, 503]))
    assert.equal(sender.withoutRetryAfter, 0)
    assert.equal((await fetch(`${service.url}/messages`)).status, read)
    assert.equal((await fetch(`${service.url}/health/live`)).status, 200)
    assert.equal(await readinessOf(service), 503)
    disk.free()
    // Without room for its log it has ended, as its operator would have to see.
    await server.start()
    await until('it is ready by itself', async () => (await readinessOf(service)) === 200)
    assert.equal(await sender.sendOne(service.url), 200)
    assert.equal((await service.stop()).code, 0)
    assert.deepEqual(await found(), [])
  })

  test(`the twin that takes a failed commit for a good one is caught with a full disk of its ${what}`, {
    skip: noSmallDisks,
    timeout: 120_000,
  }, async (t) => {
    const { server, service, disk, found } = await sendUntilFull(t, place, 'ignored failure')
    await service.stop('SIGKILL')
    disk.free()
    await server.start()
    assertLossCaught(await found())
  })
}
