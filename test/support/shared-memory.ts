// The segment of System V shared memory that marks a cluster of PostgreSQL as taken. It outlives a
// server that is killed, and a machine has room for a few thousand, or a few dozen, of them.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The line of a lock file with the key and the number of the segment. */
const SEGMENT_LINE = 7

/** The file that a server keeps among its own from its start until it has cleared up. */
export function lockFileOf(directory: string): string {
  return join(directory, 'postmaster.pid')
}

/** The number of the segment of a server that runs or was killed; null where there is none. */
export function segmentOf(directory: string): string | null {
  try {
    const line = readFileSync(lockFileOf(directory), 'utf8').split('\n')[SEGMENT_LINE - 1]
    return /^\s*\d+\s+(\d+)/.exec(line ?? '')?.[1] ?? null
  } catch {
    return null
  }
}

/** Gives back what a killed server left; nothing where it cleared up itself. */
export function releaseSegment(directory: string): void {
  const segment = segmentOf(directory)
  if (segment !== null) spawnSync('ipcrm', ['-m', segment], { stdio: 'ignore' })
}
