// A file system that can't be written to. Needs one of its own, so root.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, seedOf } from './setting.ts'
import { works } from './tracing.ts'

function remount(directory: string, how: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${how}`, directory])
}

test('a read-only disk is refused at start with a sentence, and served once it can be written', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'read-only-'))
  if (!works('mount', '-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'tmpfs', directory)) {
    rmdirSync(directory)
    t.skip('mounting a file system needs root')
    return
  }
  t.after(() => {
    execFileSync('umount', ['-l', directory])
    rmdirSync(directory)
  })
  const setting = newSetting(t, { directory })
  const sender = new Sender({ seed: seedOf(t) })
  const first = await setting.start()
  assert.equal(await sender.sendOne(first.url), 200)
  await first.stop()
  remount(directory, 'ro')
  await assert.rejects(
    setting.start(),
    /^Error: The service ended: The database .* can't be used: .*\n$/,
  )
  remount(directory, 'rw')
  const again = await setting.start()
  assert.equal(await sender.sendOne(again.url), 200)
  await again.stop()
  assert.deepEqual(anomalies(setting.file, sender.sent), [])
})
