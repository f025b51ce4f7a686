// The tests' own PostgreSQL: what a machine has a few of is given back, however a server ends.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PostgresServer } from './postgres-server.ts'
import { segmentOf } from './shared-memory.ts'

/** Whether a segment of System V shared memory is there. */
function isThere(segment: string): boolean {
  return execFileSync('ipcs', ['-m'], { encoding: 'utf8' }).split(/\s+/).includes(segment)
}

async function serverWithSegment() {
  const server = await PostgresServer.start()
  const segment = segmentOf(server.directory)
  assert.ok(segment !== null && isThere(segment))
  return { server, segment }
}

test('a server that is removed gives its shared memory back', async () => {
  const { server, segment } = await serverWithSegment()
  assert.notEqual(readdirSync(join(server.directory, 'pg_dynshmem')).length, 0)
  server.remove()
  assert.ok(!isThere(segment))
  assert.ok(!existsSync(server.directory))
})

test('so does one that was killed before', async () => {
  const { server, segment } = await serverWithSegment()
  await server.kill()
  assert.ok(isThere(segment), 'a killed server leaves it')
  server.remove()
  assert.ok(!isThere(segment))
})

test('one that never ran is only removed', async () => {
  const server = await PostgresServer.create()
  server.remove()
  assert.ok(!existsSync(server.directory))
})
