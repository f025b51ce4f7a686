// What is answered is on the synchronous standby, also where the wait for it was ended: by an operator,
// or by a crash of the server. Then the batch is committed and visible, and on no standby.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { readMigrations } from '../../src/app/store/postgres/schema.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aMessage, insertAll, sendAll } from '../support/a-message.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { PRIMARY_SETTINGS, requireStandby, startStandby } from '../support/standby.ts'
import { until } from '../support/until.ts'

const SENT = aMessage({ messageId: 'sent-once' })
const NOT_STORED = { name: 'StoreUnavailableError' }

type Scene = {
  readonly primary: PostgresServer
  readonly url: string
  readonly store: MessageStore
}

/** A primary whose standby is not there, and a store on it. */
async function withoutStandby(t: TestContext): Promise<Scene> {
  const primary = await PostgresServer.start({ settings: PRIMARY_SETTINGS })
  t.after(() => primary.remove())
  const url = await primary.newDatabase()
  const store = await openStoreFor(t, url, { onUpkeepError: () => {} })
  await insertAll(store, [aMessage()])
  await requireStandby(primary)
  return { primary, url, store }
}

/** The process of a batch that waits for the standby. */
async function waitingPid(primary: PostgresServer): Promise<number> {
  let pid = 0
  await until('a batch waits for the standby', async () => {
    const [row] = await primary.query<{ pid: number }>(
      `select pid from pg_stat_activity where wait_event = 'SyncRep' and query like '%ingest_1%'`,
    )
    pid = row?.pid ?? 0
    return pid !== 0
  })
  return pid
}

/** How the wait of a batch for the standby is ended, given its process. */
const ENDS: Readonly<Record<string, (primary: PostgresServer, pid: number) => Promise<unknown>>> = {
  'is cancelled': (primary, pid) => primary.query(`select pg_cancel_backend(${pid})`),
  'ends with its connection': (primary, pid) =>
    primary.query(`select pg_terminate_backend(${pid})`),
  'ends with a crash of the server': async (primary, pid) => {
    process.kill(pid, 'SIGKILL')
    await until('the server is back', () => primary.answers())
  },
}

async function isVisible({ primary, url }: Scene): Promise<boolean> {
  const rows = await primary.query(
    `select from messages where message_id = '${SENT.messageId}'`,
    new URL(url).pathname.slice(1),
  )
  return rows.length > 0
}

/** Stores the message in a batch whose wait for the standby is ended; the store's answer. */
async function insertWithoutWait(scene: Scene, end: (typeof ENDS)[string]) {
  const inserting = insertAll(scene.store, [SENT])
  const answered = Promise.allSettled([inserting])
  await end(scene.primary, await waitingPid(scene.primary))
  await answered
  assert.equal(await isVisible(scene), true, 'it was committed')
  return await inserting
}

/** The function that stores a batch as it was: what has been stored is answered by a look alone. */
async function lookOnly(t: TestContext, url: string): Promise<void> {
  const directory = new URL('../../src/app/store/postgres/migrations/', import.meta.url)
  const sql = readMigrations(directory).find(({ version }) => version === 2)?.sql ?? ''
  const definition = sql.slice(sql.indexOf('create function ingest_1'))
  const client = await connectFor(t, url)
  await client.query('set synchronous_commit = local')
  await client.query(definition.replace('create function', 'create or replace function'))
}

describe('a batch whose wait for the synchronous standby', { concurrency: true }, () => {
  for (const [how, end] of Object.entries(ENDS)) {
    it(`${how} is answered, and its copies are, once a standby has it`, async (t) => {
      const scene = await withoutStandby(t)
      const { primary, url, store } = scene
      await assert.rejects(insertWithoutWait(scene, end), NOT_STORED)
      await assert.rejects(insertAll(store, [SENT]), NOT_STORED)

      const standby = await startStandby(primary, primary.port)
      t.after(() => standby.remove())
      assert.deepEqual(await sendAll(store, [SENT]), [{ kind: 'duplicate' }])
      await primary.kill()
      await standby.query('select pg_promote()')
      await until('the standby takes over', async () => {
        const [row] = await standby.query<{ waits: boolean }>('select pg_is_in_recovery() as waits')
        return row?.waits === false
      })
      assert.equal(await isVisible({ primary: standby, url, store }), true)
    })
  }

  it('ends would be answered although nobody else has it, by a mere look at what was stored', async (t) => {
    const scene = await withoutStandby(t)
    await lookOnly(t, scene.url)
    const end = ENDS['ends with its connection']
    assert.ok(end)
    assert.deepEqual(await insertWithoutWait(scene, end), [{ kind: 'created' }])
  })
})
