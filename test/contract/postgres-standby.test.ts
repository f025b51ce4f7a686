// What is read while the address points to a standby that is not promoted yet.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { AppError } from '../../src/app/errors.ts'
import { aMessage, insertAll, sendAll } from '../support/a-message.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { openStoreFor } from '../support/postgres-stores.ts'
import { PRIMARY_SETTINGS, startStandby } from '../support/standby.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const ALL = { filter: {}, order: 'asc', limit: 9, offset: 0 } as const

it('the sequence is not read on a standby, which would pass over numbers, and is when it is promoted', async (t) => {
  const primary = await PostgresServer.start({ settings: PRIMARY_SETTINGS })
  t.after(() => primary.remove())
  const url = await primary.newDatabase()
  const link = await TcpProxy.start(t, primary.port)
  const writing = await openStoreFor(t, url, { onUpkeepError: () => {} })
  await insertAll(writing, [aMessage({ messageId: 'first' })])
  const standby = await startStandby(primary, primary.port)
  t.after(() => standby.remove())
  const store = await openStoreFor(t, link.urlFor(url), { onUpkeepError: () => {} })
  link.pointTo(standby.port)
  await until('lists come from the standby', async () => {
    await insertAll(writing, [aMessage()])
    return store.page(ALL).then(
      ({ total }) => total > 0,
      () => false,
    )
  })

  const unavailable = ({ code, cause }: AppError) =>
    code === 'reads_unavailable' && /standby/.test(String(cause))
  const readOn = (after: number) => store.eventsAfter({ filter: {}, after, limit: 100 })
  await assert.rejects(readOn(0), unavailable)
  await assert.rejects(store.lastSeq(), unavailable)

  await primary.kill()
  await standby.query('select pg_promote()')
  await until('the standby takes over', () =>
    readOn(0).then(
      () => true,
      () => false,
    ),
  )
  const seen = await readOn(0)
  assert.equal(seen.next, await store.lastSeq())
  await sendAll(store, [aMessage({ messageId: 'last' })])
  const { entries } = await readOn(seen.next)
  assert.equal(entries.length, 1)
})
