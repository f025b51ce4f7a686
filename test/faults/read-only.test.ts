// A file system that can't be written to, from the start or from one moment to the next.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { assertFailStop } from './fail-stop.ts'
import { hasLoopDisks, newLoopDisk } from './loop-disk.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'
import { newSmallDisk, noSmallDisks } from './small-disk.ts'

test('a read-only disk is refused at start with a sentence, and served once it can be written', {
  skip: noSmallDisks,
}, async (t) => {
  const disk = await newSmallDisk(t, 16)
  const setting = newSetting(t, disk)
  const sender = new Sender({ seed: seedOf(t) })
  const first = await setting.start()
  assert.equal(await sender.sendOne(first.url), 200)
  await first.stop()
  disk.turnReadOnly()
  await assert.rejects(
    setting.start(),
    /^Error: The service ended: The database .* can't be used: .*\n$/,
  )
  disk.turnWritable()
  const again = await setting.start()
  assert.equal(await sender.sendOne(again.url), 200)
  await again.stop()
  assert.deepEqual(anomalies(join(disk.seen, 'messages.db'), sender.sent), [])
})

// Without root no file system can be closed to those that write to it already; file-limit.test.ts
// has every write fail instead, which SQLite tells in the same way.
const skip = hasLoopDisks() ? false : 'a disk that turns read-only needs root and ext4'
const ANSWERS_BEFORE = 100
const ANSWERS_AFTER = 300

/** Sends to a service whose disk turns read-only meanwhile; resolves when the service has ended. */
async function sendWhileTurning(t: TestContext, sabotage?: Sabotage) {
  const disk = newLoopDisk()
  t.after(() => disk.remove())
  const setting = newSetting(t, {
    directory: disk.directory,
    ...(sabotage === undefined ? {} : { sabotage }),
  })
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  let [turned, ended] = [false, false]
  void service.ended.then(() => {
    ended = true
  })
  await sender.sendUntil(service.url, () => {
    if (!turned && sender.acknowledged >= ANSWERS_BEFORE) {
      disk.turnReadOnly()
      turned = true
    }
    return ended || sender.sent.size >= ANSWERS_BEFORE + ANSWERS_AFTER
  })
  if (sabotage !== undefined) await service.stop('SIGKILL')
  const { code } = await service.ended
  disk.mount()
  return { setting, sender, code }
}

test('a disk that turns read-only under load: no 200 for what is lost, an end, and all is well on a sound disk', {
  skip,
}, async (t) => {
  await assertFailStop(await sendWhileTurning(t))
})

test('the twin that takes a failed commit for a good one is caught on such a disk', {
  skip,
}, async (t) => {
  const { setting, sender } = await sendWhileTurning(t, 'ignored failure')
  const found = anomalies(setting.file, sender.sent)
  assertLossCaught(found)
})
