// A disk without space, and with it again. Needs a small file system of its own, so root.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'

const skip = canMount() ? false : 'mounting a small file system needs root'

function mount(directory: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=0700', 'tmpfs', directory], {
    stdio: 'ignore',
  })
}

function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'small-disk-'))
  try {
    mount(directory)
    execFileSync('umount', [directory])
    return true
  } catch {
    return false
  } finally {
    rmdirSync(directory)
  }
}

async function sendUntilFull(t: TestContext, sabotage?: Sabotage) {
  const directory = mkdtempSync(join(tmpdir(), 'small-disk-'))
  mount(directory)
  t.after(() => {
    execFileSync('umount', ['-l', directory])
    rmdirSync(directory)
  })
  const setting = newSetting(t, { directory, ...(sabotage === undefined ? {} : { sabotage }) })
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  const ballast = join(directory, 'ballast')
  fill(ballast)
  let full = false
  const most = sender.sent.size + 3000
  await sender.sendUntil(service.url, () => {
    full ||= sender.statuses.has(503)
    return full || sender.sent.size > most
  })
  const reads = (await fetch(`${service.url}/messages`)).status
  return { setting, service, sender, full, reads, free: () => rmSync(ballast) }
}

/** Takes all the space that is left. */
function fill(file: string): void {
  try {
    writeFileSync(file, Buffer.alloc(8 * 1024 * 1024))
  } catch {
    // That is what full means; what fitted stays.
  }
}

test('a full disk is a 503: reads go on, and it stores again once there is space', {
  skip,
}, async (t) => {
  const { setting, service, sender, full, reads, free } = await sendUntilFull(t)
  assert.ok(full, 'the disk was full')
  assert.equal(reads, 200)
  free()
  await until('it stores again by itself', async () => (await sender.sendOne(service.url)) === 200)
  assert.equal((await service.stop()).code, 0)
  assert.deepEqual(anomalies(setting.file, sender.sent), [])
})

test('the twin that takes a failed commit for a good one is caught', { skip }, async (t) => {
  const { setting, service, sender } = await sendUntilFull(t, 'ignored failure')
  await service.stop('SIGKILL')
  const found = anomalies(setting.file, sender.sent)
  assertLossCaught(found)
})
