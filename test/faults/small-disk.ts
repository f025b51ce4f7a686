// A file system of a few megabytes of memory that can be filled, emptied and closed to writing: mounted as root, or
// without root in a namespace of its own, where the system lets users make some.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from '../support/service.ts'

export type SmallDisk = {
  /** Where it is for a process that is run `via` this command. */
  readonly directory: string
  readonly via: readonly string[]
  /** Where it is for us. */
  readonly seen: string
  /** Takes all the space that is left. */
  fill(): void
  /** Gives the space back. */
  free(): void
  /** Gives so many megabytes of it back. */
  freeSome(megabytes: number): void
  /** Nothing can be written to it any more; refused while a file is open for that. */
  turnReadOnly(): void
  turnWritable(): void
}

/** Kept open, so that the namespace lasts; it ends with its input. */
const HOLD = 'mount -t tmpfs -o "size=$1,mode=0700" tmpfs "$2" && echo mounted && exec cat'
const NAMESPACES = ['--user', '--map-root-user', '--mount']

/** Why there can be no such disk here; false where there can. */
export const noSmallDisks =
  canMount() || (await canUnshare()) ? false : 'nobody may mount anything here'

/** A new one of so many megabytes; it ends with the test. */
export function newSmallDisk(test: Scope, megabytes: number): Promise<SmallDisk> {
  const size = `${megabytes}m`
  return canMount() ? mountedDisk(test, size) : unsharedDisk(test, size)
}

async function mountedDisk(test: Scope, size: string): Promise<SmallDisk> {
  const directory = newMountPoint()
  mount(directory, size)
  test.after(async () => {
    // What is still open on it, as after a test that failed, does not keep it.
    execFileSync('umount', ['-l', directory])
    rmdirSync(directory)
  })
  return diskOf({ directory, via: [], seen: directory }, [])
}

async function unsharedDisk(test: Scope, size: string): Promise<SmallDisk> {
  const directory = newMountPoint()
  const holder = spawn('unshare', [...NAMESPACES, 'sh', '-c', HOLD, 'sh', size, directory], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const ended = once(holder, 'exit')
  test.after(async () => {
    holder.stdin.end()
    await ended.catch(() => {})
    rmdirSync(directory)
  })
  const mounted = await Promise.race([once(holder.stdout, 'data'), ended.then(() => null)])
  if (mounted === null) throw new Error('No disk could be mounted in a namespace.')
  const enter = ['nsenter', `--target=${holder.pid}`, '--user', '--mount', '--preserve-credentials']
  // Not as the root of that namespace, but as who we are.
  const via = [...enter, 'unshare', '--user', `--map-user=${process.getuid?.()}`]
  return diskOf({ directory, via, seen: `/proc/${holder.pid}/root${directory}` }, enter)
}

type Place = Pick<SmallDisk, 'directory' | 'via' | 'seen'>

/** `asRoot` runs a command as one who may mount. */
function diskOf(place: Place, asRoot: readonly string[]) {
  const ballast = join(place.seen, 'ballast')
  mkdirSync(ballast)
  const remount = (how: 'ro' | 'rw') => {
    const [command = 'mount', ...args] = [...asRoot, 'mount']
    execFileSync(command, [...args, '-o', `remount,bind,${how}`, place.directory])
  }
  return {
    ...place,
    fill: () => {
      // What does not fit as a whole leaves less than a page.
      for (let megabytes = 0; fits(join(ballast, String(megabytes))); megabytes++);
    },
    freeSome: (megabytes: number) => {
      for (let n = 0; n < megabytes; n++) rmSync(join(ballast, String(n)))
    },
    free: () => {
      rmSync(ballast, { recursive: true })
      mkdirSync(ballast)
    },
    turnReadOnly: () => remount('ro'),
    turnWritable: () => remount('rw'),
  }
}

/** Writes a megabyte, or what of it has room. */
function fits(file: string): boolean {
  try {
    writeFileSync(file, Buffer.alloc(1024 * 1024))
    return true
  } catch {
    return false
  }
}

function mount(directory: string, size: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', directory], {
    stdio: 'ignore',
  })
}

function canMount(): boolean {
  const directory = newMountPoint()
  try {
    mount(directory, '1m')
    execFileSync('umount', [directory])
    return true
  } catch {
    return false
  } finally {
    rmdirSync(directory)
  }
}

/** Whether a disk in a namespace can be made, written to and closed to writing. */
async function canUnshare(): Promise<boolean> {
  let remove = async () => {}
  const scope: Scope = {
    after: (work) => {
      remove = work
    },
  }
  try {
    const disk = await unsharedDisk(scope, '1m')
    const [command = '', ...args] = [...disk.via, 'touch', join(disk.directory, 'file')]
    execFileSync(command, args, { stdio: 'ignore' })
    disk.turnReadOnly()
    return true
  } catch {
    return false
  } finally {
    await remove().catch(() => {})
  }
}

function newMountPoint(): string {
  return mkdtempSync(join(tmpdir(), 'small-disk-'))
}
