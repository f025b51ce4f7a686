// A PostgreSQL that is not there when the service starts: the log says where and why, and when it is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOpenService } from '../support/open-service.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { untilReady } from '../support/service.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

test('a server that refuses connections at the start is named in the log, until it answers', async (t) => {
  const server = await PostgresServer.create()
  t.after(() => server.remove())
  const service = await startOpenService(t, {
    cwd: temporaryDirectory(t),
    environment: { DATABASE_URL: server.url('postgres') },
  })
  const { host } = new URL(server.url('postgres'))
  const [reason] = service.log
    .filter(({ level, err }) => level === 'warn' && err !== undefined)
    .map(({ err }) => (err as { reason: string }).reason)
  assert.equal(
    reason,
    `${host} refuses connections: is PostgreSQL running there, and is the port right?`,
  )
  await server.start()
  await untilReady(service)
  await service.logged('the database answers')
})
