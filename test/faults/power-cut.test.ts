// A power cut: an ext4 file system of its own is shut down under load without writing its journal,
// mounted again and recovered. Needs root. CUTS=100 for a longer run.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { hasLoopDisks, type LoopDisk, newLoopDisk } from './loop-disk.ts'
import { Sender } from './sender.ts'
import { newSetting, seedOf } from './setting.ts'
import { injectIntoFsync, noTracing } from './tracing.ts'

const CUTS = Number(process.env['CUTS'] ?? 5)
const ANSWERS_BEFORE_A_CUT = 100
/** After a cut without any flush there may be no database to look into: then once more. */
const TWIN_CUTS = 5

const skip = hasLoopDisks()
  ? false
  : 'cutting the power of a loop device needs root, ext4 and python3'

/** Cuts the power once under load; resolves when the disk is mounted again. */
async function cutUnderLoad(t: TestContext, sender: Sender, disk: LoopDisk, fault?: string) {
  const setting = newSetting(t, { directory: disk.directory })
  const service = await setting.start()
  const log = join(disk.directory, '..', 'strace.log')
  const tracing = fault === undefined ? null : await injectIntoFsync(service.pid, fault, log)
  const enough = sender.acknowledged + ANSWERS_BEFORE_A_CUT
  let cut = false
  await sender.sendUntil(service.url, () => {
    if (!cut && sender.acknowledged >= enough) {
      disk.cut()
      cut = true
    }
    return cut
  })
  await service.stop('SIGKILL')
  await tracing?.stop()
  assert.ok(tracing === null || tracing.injected(), 'fsync was taken out')
  disk.mount()
  return anomalies(setting.file, sender.sent)
}

test(`nothing acknowledged is lost when the power is cut ${CUTS} times under load`, {
  skip,
  timeout: 3_600_000,
}, async (t) => {
  const disk = newLoopDisk()
  t.after(() => disk.remove())
  const sender = new Sender({ seed: seedOf(t) })
  for (let cut = 0; cut < CUTS; cut++) {
    assert.deepEqual(await cutUnderLoad(t, sender, disk), [])
  }
  t.diagnostic(`${sender.acknowledged} acknowledged, ${CUTS} cuts`)
})

/** Messages that the twin is caught losing, in a database that can be read; empty where it can't. */
async function lossWithoutFsync(t: TestContext, sender: Sender): Promise<readonly string[]> {
  const disk = newLoopDisk()
  t.after(() => disk.remove())
  // What is there already has been flushed: a database to look into.
  const sound = await newSetting(t, { directory: disk.directory }).start()
  assert.equal(await sender.sendOne(sound.url), 200)
  await sound.stop()
  try {
    const found = await cutUnderLoad(t, sender, disk, 'retval=0')
    return found.filter((anomaly) => anomaly.includes('is lost'))
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    t.diagnostic(`nothing to look into after a cut: ${error}`)
    return []
  }
}

test('the twin whose fsync does nothing is caught losing messages', {
  skip: skip || noTracing,
}, async (t) => {
  let found: readonly string[] = []
  for (let cut = 0; cut < TWIN_CUTS && found.length === 0; cut++) {
    // What one disk has lost is no loss of the next one.
    found = await lossWithoutFsync(t, new Sender({ seed: seedOf(t) + cut }))
  }
  assertLossCaught(found)
})
