// A PostgreSQL that goes away while somebody follows the stream: the log says so once, and when it is over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { newDatabase } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { startOpenService } from '../support/open-service.ts'
import { untilReady } from '../support/service.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** In which the streams try to read on several times, in ms. */
const TRYING_MS = 4000

test('streams that can not read on say so once, and when they do again', async (t) => {
  const url = await newDatabase()
  const port = Number(new URL(url).port)
  const link = await TcpProxy.start(t, port)
  const service = await startOpenService(t, {
    cwd: temporaryDirectory(t),
    environment: { DATABASE_URL: link.urlFor(url) },
  })
  await untilReady(service)
  const reader = new AbortController()
  t.after(async () => reader.abort())
  const stream = await fetch(`${service.url}/events/stream`, { signal: reader.signal })
  assert.equal(stream.status, 200)
  link.pointTo(await freePort())
  const failed = 'the streams could not read on; they try again'
  await service.logged(failed)
  await delay(TRYING_MS)
  assert.equal(service.log.filter(({ msg }) => msg === failed).length, 1)
  link.pointTo(port)
  await service.logged('the streams read on again')
})
