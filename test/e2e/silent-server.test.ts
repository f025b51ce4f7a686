// A PostgreSQL that does not answer any more does not say goodbye either.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newDatabase } from '../support/databases.ts'
import { startOpenService } from '../support/open-service.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { type Ended, post, type Service, untilReady } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

for (const [moment, isIdle] of [
  ['right after a commit', false],
  ['while nothing happens', true],
] as const) {
  test(`SIGTERM ends a service whose server falls silent ${moment}, with 0`, async (t) => {
    const url = await newDatabase()
    const link = await TcpProxy.start(t, Number(new URL(url).port))
    const service = await startOpenService(t, {
      cwd: temporaryDirectory(t),
      environment: { DATABASE_URL: link.urlFor(url), SHUTDOWN_TIMEOUT: '8' },
    })
    await untilReady(service)
    const body = toBytes(flatBody())
    assert.equal((await post(service, body, signature(body))).status, 200)
    if (isIdle) {
      const direct = await connectFor(t, url)
      // The last that it does after a commit.
      const done =
        "select 1 from pg_stat_activity where query like '%index_texts%' and state = 'idle'"
      await until('all is done', async () => (await direct.query(done)).rows.length > 0)
      await untilReady(service)
    }
    link.freeze()
    await assertEnds(service)
  })
}

test('SIGTERM ends a service whose server falls silent while bodies expire, with 0', async (t) => {
  const url = await newDatabase()
  await (await openStoreFor(t, url)).close()
  const holder = await connectFor(t, url)
  await holder.query('begin; select from store for update')
  // Within a transaction, the first look at pg_stat_activity would be all there is to see.
  const watcher = await connectFor(t, url)
  const link = await TcpProxy.start(t, Number(new URL(url).port))
  const service = await startOpenService(t, {
    cwd: temporaryDirectory(t),
    environment: { DATABASE_URL: link.urlFor(url), SHUTDOWN_TIMEOUT: '8' },
  })
  const waiting =
    "select 1 from pg_stat_activity where query like '%expire_intakes%' and wait_event_type = 'Lock'"
  await until('bodies expire', async () => (await watcher.query(waiting)).rows.length > 0)
  link.freeze()
  await assertEnds(service)
})

async function assertEnds(service: Service): Promise<void> {
  let ended: Ended | undefined
  void service.stop().then((how) => {
    ended = how
  })
  await until('it has ended', () => ended !== undefined)
  assert.deepEqual(ended, { code: 0, signal: null })
}
