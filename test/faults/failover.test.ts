// The server of PostgreSQL fails under load, and its standby takes its place. FAILOVERS=20 for a longer
// run.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PRIMARY_SETTINGS, requireStandby, startStandby } from '../support/standby.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { postgresAnomalies } from './postgres-checker.ts'
import { acknowledged, startServer } from './postgres-faults.ts'
import { Sender } from './sender.ts'
import { newSettingFor, seedOf } from './setting.ts'

const FAILOVERS = Number(process.env['FAILOVERS'] ?? 1)

/** Kills the primary under load and points the address to its standby, promoted. */
async function failOver(t: TestContext, seed: number, isSynchronous: boolean) {
  const primary = await startServer(t, { settings: PRIMARY_SETTINGS })
  const replication = await TcpProxy.start(t, primary.port)
  const standby = await startStandby(primary, replication.port)
  t.after(() => standby.remove())
  const url = await primary.newDatabase()
  if (isSynchronous) {
    await requireStandby(primary)
    await until('the standby is synchronous', async () => {
      const rows = await primary.query<{ sync_state: string }>(
        'select sync_state from pg_stat_replication',
      )
      return rows[0]?.sync_state === 'sync'
    })
  }
  const link = await TcpProxy.start(t, primary.port)
  const service = await newSettingFor(link.urlFor(url), t).start()
  const sender = new Sender({ seed })
  let done = false
  const sending = sender.sendUntil(service.url, () => done)
  await until('messages are stored', () => sender.acknowledged >= 100)
  await until('the standby has the database', async () => {
    const [row] = await standby.query<{ n: number }>(
      `select 1 as n from pg_database where datname = '${new URL(url).pathname.slice(1)}'`,
    )
    return row !== undefined
  })
  if (!isSynchronous) {
    replication.freeze()
    // None of these gets to the standby.
    await acknowledged(sender, 200)
  }
  await primary.kill()
  await standby.query('select pg_promote()')
  link.pointTo(standby.port)
  await acknowledged(sender, 50)
  done = true
  await sending
  await service.stop()
  const onStandby = new URL(url)
  onStandby.port = String(standby.port)
  const found = await postgresAnomalies(onStandby.href, sender.sent)
  standby.remove()
  primary.remove()
  return found
}

test(`failover to a synchronous standby by changing what the address points to loses nothing, ${FAILOVERS} times`, {
  timeout: 3_600_000,
}, async (t) => {
  const seed = seedOf(t)
  for (let round = 0; round < FAILOVERS; round++) {
    assert.deepEqual(await failOver(t, seed + round, true), [])
  }
})

test(`the twin with an asynchronous standby is caught losing messages in ${FAILOVERS} rounds`, {
  timeout: 3_600_000,
}, async (t) => {
  const seed = seedOf(t)
  const found: string[] = []
  for (let round = 0; round < FAILOVERS; round++) {
    found.push(...(await failOver(t, seed + round, false)))
  }
  assertLossCaught(found)
})
