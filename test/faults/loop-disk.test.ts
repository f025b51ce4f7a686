// The disk whose power is cut: what is read after a cut comes from what was flushed, and not from the
// memory of a system that is still going on.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasLoopDisks, newLoopDisk } from './loop-disk.ts'

const skip = hasLoopDisks() ? false : 'a loop device needs root, ext4 and python3'

/** Sees what is mounted now for a second more, as a container does that is being started. */
const HOLD = 'echo holding; exec sleep 1'

test('a disk that another namespace still holds is mounted again once it is let go', {
  skip,
}, async (t) => {
  const disk = newLoopDisk()
  t.after(() => disk.remove())
  const unflushed = join(disk.directory, 'unflushed')
  writeFileSync(unflushed, 'in memory only')
  const holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', HOLD])
  const ended = once(holder, 'exit')
  await once(holder.stdout, 'data')
  disk.cut()
  disk.mount()
  assert.ok(!existsSync(unflushed), 'it is the disk of before the cut')
  await ended
})
