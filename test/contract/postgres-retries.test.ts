// What goes wrong between a batch and its commit, and is put right without anybody's help.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aMessage, insertAll, intakeOf } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const CREATED = { kind: 'created' } as const

/** The process that stores a batch and waits for a lock; 0 where none does. */
const WAITING = `select coalesce(max(pid), 0) as pid from pg_stat_activity
  where query like '%ingest_1%' and pid <> pg_backend_pid() and wait_event_type = 'Lock'
    and datname = current_database()`

describe('a batch on PostgreSQL', () => {
  it('that a deadlock ends is stored again, and nobody learns of it', async (test) => {
    const url = await newDatabase()
    const store = await openStoreFor(test, url)
    const gate = await connectFor(test, url)
    const client = await connectFor(test, url)
    const watcher = await connectFor(test, url)
    // Of the two in the circle, the store's transaction looks first, and is ended.
    await client.query("set deadlock_timeout = '60s'")
    await gate.query('begin')
    await ingest(gate, [intakeOf(aMessage({ messageId: 'b', from: '+30' }))])
    await client.query('begin')
    await ingest(client, [intakeOf(aMessage({ messageId: 'c', from: '+10' }))])
    const inserting = insertAll(store, [
      aMessage({ messageId: 'a', from: '+20' }),
      aMessage({ messageId: 'b', from: '+20' }),
      aMessage({ messageId: 'c', from: '+20' }),
    ])
    const isWaiting = async () => (await watcher.query(WAITING)).rows[0]?.pid !== 0
    await until('the store waits for b', isWaiting)
    const { rows: own } = await client.query('select pg_backend_pid() as pid')
    const closing = ingest(client, [intakeOf(aMessage({ messageId: 'a', from: '+10' }))])
    await until('the other waits for a', async () => {
      const waiting = "select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'"
      return (await watcher.query(waiting, [own[0]?.pid])).rows.length > 0
    })
    // A transaction looks once, a second after it began to wait: the store's waits for c from here on.
    await gate.query('rollback')
    await closing
    await client.query('rollback')
    assert.deepEqual(await inserting, [CREATED, CREATED, CREATED])
    const { rows } = await watcher.query(
      'select deadlocks from pg_stat_database where datname = current_database()',
    )
    assert.ok(Number(rows[0]?.deadlocks) > 0, 'there was a deadlock')
    assert.equal((await store.stats()).totalMessages, 3)
  })

  it('whose connection is lost before the commit is stored once', async (test) => {
    const url = await newDatabase()
    const store = await openStoreFor(test, url)
    const client = await connectFor(test, url)
    await client.query('begin; select pg_advisory_xact_lock(storing_lock_1())')
    const inserting = insertAll(store, [aMessage()])
    const watcher = await connectFor(test, url)
    let pid = 0
    await until('the batch waits', async () => {
      pid = (await watcher.query(WAITING)).rows[0]?.pid
      return pid !== 0
    })
    await watcher.query('select pg_terminate_backend($1)', [pid])
    await client.query('rollback')
    assert.deepEqual(await inserting, [CREATED])
    assert.equal((await store.stats()).totalMessages, 1)
  })

  it('on a connection whose other end vanished without a word is stored on another one', async (test) => {
    const url = await newDatabase()
    const link = await TcpProxy.start(test, Number(new URL(url).port))
    const store = await openStoreFor(test, link.urlFor(url), { onUpkeepError: () => {} })
    assert.deepEqual(await insertAll(store, [aMessage()]), [CREATED])
    link.abandon()
    assert.deepEqual(await insertAll(store, [aMessage()]), [CREATED])
  })

  it('whose answer is lost after the commit gets the same answer, also for what has no identity', async (test) => {
    const url = await newDatabase()
    const link = await TcpProxy.start(test, Number(new URL(url).port))
    // What is done beside storing loses its connections too.
    const store = await openStoreFor(test, link.urlFor(url), { onUpkeepError: () => {} })
    const client = await connectFor(test, url)
    await client.query('begin; select pg_advisory_xact_lock(storing_lock_1())')
    const message = intakeOf(aMessage())
    const [event] = message.events
    assert.ok(event)
    const nameless = { kind: 'error', type: 'error', key: null, data: { code: 1 } } as const
    const { instant, ts, phoneNumberId } = event
    const inserting = store.insert([
      { ...message, events: [event, { instant, ts, phoneNumberId, contact: null, ...nameless }] },
    ])
    const watcher = await connectFor(test, url)
    await until('the batch waits', async () => (await watcher.query(WAITING)).rows[0]?.pid !== 0)
    link.freeze()
    await client.query('commit')
    await until('it is committed', async () => {
      const { rows } = await client.query('select count(*) as n from messages')
      return Number(rows[0]?.n) === 1
    })
    link.cut()
    link.thaw()
    assert.deepEqual((await inserting).outcomes, [[CREATED, CREATED]])
    assert.deepEqual((await store.stats()).eventsByKind, { error: 1, message: 1 })
  })

  it('that needs to be alone, which it finds out on its way, is stored again by itself', async (test) => {
    const store = await openStoreFor(test, await newDatabase())
    const both = { phone: '+10', userId: 'US.1', parentUserId: null, username: null, name: null }
    const [one, two, three] = [aMessage(), aMessage(), aMessage()]
    const outcomes = await insertAll(store, [
      { ...one, contact: { ...both, userId: null } },
      { ...two, contact: { ...both, phone: null } },
      { ...three, contact: both },
    ])
    assert.deepEqual(outcomes, [CREATED, CREATED, CREATED])
    const { conversations } = await store.conversations({ limit: 9 })
    assert.deepEqual(
      conversations.map(({ contact, messages }) => [contact.key, messages]),
      [['US.1', 3]],
    )
  })
})
