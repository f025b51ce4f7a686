// As whom a server runs where root starts it, and the files it needs as its own.
import { chmodSync, chownSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Who a server runs as where root starts it: it refuses root. The numbers of `nobody`. */
const UNPRIVILEGED = 65_534

/** A directory that a server may own. */
export function privateDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'webhook-postgres-'))
  chmodSync(directory, 0o700)
  handOver(directory)
  return directory
}

/** Makes a file the server's own. */
export function handOver(file: string): void {
  const { uid } = unprivileged()
  if (uid !== undefined) chownSync(file, uid, uid)
}

/** As whom a server runs where root starts it. */
export function unprivileged(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}
}
