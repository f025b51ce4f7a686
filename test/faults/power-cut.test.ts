// A power cut: an ext4 file system of its own is shut down under load without writing its journal,
// mounted again and recovered. Needs root. CUTS=100 for a longer run.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, seedOf } from './setting.ts'
import { injectIntoFsync, noTracing, works } from './tracing.ts'

const CUTS = Number(process.env['CUTS'] ?? 5)
const ANSWERS_BEFORE_A_CUT = 100

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH; Node has no ioctl of its own. */
const SHUT_DOWN =
  'import fcntl,os,struct,sys;fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack("I",2))'

type Disk = { readonly directory: string; mount(): void; cut(): void; remove(): void }

const skip = canCut() ? false : 'cutting the power of a loop device needs root, ext4 and python3'

function newDisk(): Disk {
  const place = mkdtempSync(join(tmpdir(), 'power-cut-'))
  const image = join(place, 'disk')
  const directory = join(place, 'mounted')
  execFileSync('truncate', ['-s', '64M', image])
  execFileSync('mkfs.ext4', ['-q', image], { stdio: 'ignore' })
  execFileSync('mkdir', ['-m', '0700', directory])
  const mount = () =>
    void execFileSync('mount', ['-o', 'loop', image, directory], { stdio: 'ignore' })
  mount()
  return {
    directory,
    mount: () => {
      execFileSync('umount', [directory])
      mount()
    },
    cut: () => void execFileSync('python3', ['-c', SHUT_DOWN, directory]),
    remove: () => {
      execFileSync('umount', ['-l', directory])
      rmSync(place, { recursive: true })
    },
  }
}

function canCut(): boolean {
  if (process.getuid?.() !== 0 || !works('python3', '-c', '') || !works('mkfs.ext4', '-V')) {
    return false
  }
  try {
    const disk = newDisk()
    disk.cut()
    disk.remove()
    return true
  } catch {
    return false
  }
}

/** Cuts the power once under load; resolves when the disk is mounted again. */
async function cutUnderLoad(t: TestContext, sender: Sender, disk: Disk, fault?: string) {
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
  const disk = newDisk()
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
  const disk = newDisk()
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
