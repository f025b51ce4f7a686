// Where a run took place: what its absolute numbers depend on.
import { execFileSync } from 'node:child_process'
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { cpus, release, type as systemName, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Latency, latencyOf } from './statistics.ts'

export type Machine = {
  readonly part: 'machine'
  readonly cores: number
  readonly processor: string
  readonly memoryGb: number
  readonly kernel: string
  readonly node: string
  readonly sqlite: string
  /** Of the sources; null outside a clone. `+` when they were changed. */
  readonly commit: string | null
  /** Of a 4 KiB write in the directory of the databases, with its write. */
  readonly fsyncMs: Latency
  /** Such a file system keeps nothing: a commit costs nothing there. */
  readonly inMemory: boolean
}

const FSYNCS = 500
const BLOCK_BYTES = 4096
const TMPFS = 0x01021994

/** Looks at this machine; takes about a second of fsyncs in `directory`. */
export function describeMachine(directory: string): Machine {
  const processors = cpus()
  return {
    part: 'machine',
    cores: processors.length,
    processor: processors[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1e8) / 10,
    kernel: `${systemName()} ${release()}`,
    node: process.version,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    commit: currentCommit(),
    fsyncMs: measureFsync(directory),
    inMemory: statfsSync(directory).type === TMPFS,
  }
}

function measureFsync(parent: string): Latency {
  const directory = mkdtempSync(join(parent, 'bench-fsync-'))
  const file = openSync(join(directory, 'log'), 'w', 0o600)
  const block = Buffer.alloc(BLOCK_BYTES, 'x')
  const times = new Float64Array(FSYNCS)
  for (let i = 0; i < FSYNCS; i++) {
    const start = performance.now()
    writeSync(file, block)
    fsyncSync(file)
    times[i] = performance.now() - start
  }
  closeSync(file)
  rmSync(directory, { recursive: true })
  return latencyOf(times)
}

function currentCommit(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'bench', 'package-lock.json') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`
  } catch {
    return null
  }
}
