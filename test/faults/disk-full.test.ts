// A disk without space, and with it again.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readinessOf } from '../support/service.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'
import { newSmallDisk, noSmallDisks } from './small-disk.ts'

/** More than fits into what the log has allocated already. */
const MOST = 300

async function sendUntilFull(t: TestContext, sabotage?: Sabotage) {
  const disk = await newSmallDisk(t, 8)
  const { directory, via } = disk
  const setting = newSetting(t, {
    directory,
    via,
    ...(sabotage === undefined ? {} : { sabotage }),
  })
  const service = await setting.start()
  const seed = seedOf(t)
  const sender = new Sender({ seed, duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  disk.fill()
  const most = sender.sent.size + MOST
  await sender.sendUntil(service.url, () => sender.statuses.has(503) || sender.sent.size > most)
  const found = () => anomalies(join(disk.seen, 'messages.db'), sender.sent)
  return { service, sender, seed, disk, found }
}

test('a full disk is a 503: reads go on, and it stores again once there is space', {
  skip: noSmallDisks,
}, async (t) => {
  const { service, sender, disk, found } = await sendUntilFull(t)
  assert.ok(sender.statuses.has(503), 'the disk was full')
  assert.deepEqual(new Set(sender.statuses.keys()), new Set([200, 503]))
  assert.equal(sender.withoutRetryAfter, 0)
  assert.equal((await fetch(`${service.url}/messages`)).status, 200)
  assert.equal((await fetch(`${service.url}/health/live`)).status, 200)
  assert.equal(await readinessOf(service), 503)
  disk.free()
  await until('it is ready by itself', async () => (await readinessOf(service)) === 200)
  assert.equal(await sender.sendOne(service.url), 200)
  assert.equal((await service.stop()).code, 0)
  assert.deepEqual(found(), [])
})

test('a full disk stays one where what is stored already comes again, which takes no room', {
  skip: noSmallDisks,
}, async (t) => {
  const { service, seed, disk } = await sendUntilFull(t)
  assert.equal(await readinessOf(service), 503)
  for (let round = 0; round < 3; round++) {
    const again = new Sender({ seed, duplicates: 0 })
    assert.equal(await again.sendOne(service.url), 200)
    assert.equal(await readinessOf(service), 503)
  }
  disk.free()
  await until('it is ready by itself', async () => (await readinessOf(service)) === 200)
})

test('the twin that takes a failed commit for a good one is caught', {
  skip: noSmallDisks,
}, async (t) => {
  const { service, found } = await sendUntilFull(t, 'ignored failure')
  await service.stop('SIGKILL')
  assertLossCaught(found())
})
