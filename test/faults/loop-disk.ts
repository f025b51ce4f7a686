// A small ext4 file system of its own, in a file: its power can be cut, and it can turn read-only under
// whoever writes to it. Needs root.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { untilInPlace } from '../support/until.ts'
import { works } from './tracing.ts'

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH; Node has no ioctl of its own. */
const SHUT_DOWN =
  'import fcntl,os,struct,sys;fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack("I",2))'

/** How long others may hold a disk that was unmounted here. */
const HELD_MS = 20_000

export type LoopDisk = {
  readonly directory: string
  /** Everything that was not flushed is gone. */
  cut(): void
  /** What a kernel does to a file system with an error: from now on no write succeeds. */
  turnReadOnly(): void
  /** Recovers from either; waits for those who hold it elsewhere, and throws where they don't let go. */
  mount(): void
  remove(): void
}

export function newLoopDisk(): LoopDisk {
  const place = mkdtempSync(join(tmpdir(), 'loop-disk-'))
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
    cut: () => void execFileSync('python3', ['-c', SHUT_DOWN, directory]),
    // A plain remount is refused while files are open for writing.
    turnReadOnly: () => void execFileSync('mount', ['-o', 'remount,abort', directory]),
    mount: () => {
      execFileSync('umount', [directory])
      waitUntilFree(image)
      mount()
    },
    remove: () => {
      execFileSync('umount', ['-l', directory])
      rmSync(place, { recursive: true })
    },
  }
}

/**
 * Returns once no loop device is left of an image. One that a namespace still sees mounted, as a container
 * does that was begun beside it, would be used again: with what its memory had before the cut.
 */
function waitUntilFree(image: string): void {
  const isFree = () => execFileSync('losetup', ['--associated', image]).length === 0
  if (untilInPlace(isFree, HELD_MS)) return
  throw new Error(`${image} is still mounted in another namespace, and can't be read anew.`)
}

/** Whether such disks can be made here, and cut. */
export function hasLoopDisks(): boolean {
  if (process.getuid?.() !== 0 || !works('python3', '-c', '') || !works('mkfs.ext4', '-V')) {
    return false
  }
  try {
    const disk = newLoopDisk()
    disk.cut()
    disk.remove()
    return true
  } catch {
    return false
  }
}
