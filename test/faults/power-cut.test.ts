// A power cut: an ext4 file system of its own is shut down under load without writing its journal,
// mounted again and recovered. Needs root. CUTS=100 for a longer run.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { anomalies } from './checker.ts'
import { hasLoopDisks, type LoopDisk, newLoopDisk } from './loop-disk.ts'
import { Sender } from './sender.ts'
import { newSetting, seedOf } from './setting.ts'
import { injectIntoFsync, noTracing } from './tracing.ts'

const CUTS = Number(process.env['CUTS'] ?? 5)
const ANSWERS_BEFORE_A_CUT = 100

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

test('the twin whose fsync does nothing is caught losing messages', {
  skip: skip || noTracing,
}, async (t) => {
  const disk = newLoopDisk()
  t.after(() => disk.remove())
  const sender = new Sender({ seed: seedOf(t) })
  const outcome = await cutUnderLoad(t, sender, disk, 'retval=0').catch((error: unknown) => error)
  // Without any fsync there may not even be a database left to look into.
  const lost =
    outcome instanceof Error
      ? /no such table|unable to open|not a database/.test(outcome.message)
      : String(outcome).includes('is lost')
  assert.ok(lost, String(outcome))
})
