// Reads on PostgreSQL whose server falls silent, or only takes long.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../src/app/errors.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aMessage, insertAll } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const ALL = { filter: {}, order: 'asc', limit: 10, offset: 0 } as const

/** A store behind a link of its own, with one message. */
async function storeBehindLink(test: TestContext) {
  const url = await newDatabase()
  const link = await TcpProxy.start(test, Number(new URL(url).port))
  const store = await openStoreFor(test, link.urlFor(url), { onUpkeepError: () => {} })
  await insertAll(store, [aMessage()])
  return { url, link, store }
}

/** What the driver says of why a read could not be answered. */
async function refusalOf(read: Promise<unknown>): Promise<string> {
  const error = await read.then(
    () => assert.fail('it was answered'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof AppError && error.code === 'reads_unavailable', String(error))
  const { cause } = error.cause as Error
  return cause instanceof Error ? cause.message : String(cause)
}

/** As many reads at once as the store has connections for. */
const readAtOnce = (store: MessageStore) => Promise.all([1, 2, 3].map(() => store.page(ALL)))

describe('a read on PostgreSQL', { concurrency: true }, () => {
  it('is given up long before its time limit where the link has frozen', async (test) => {
    const { link, store } = await storeBehindLink(test)
    await readAtOnce(store)
    link.freeze()
    assert.match(await refusalOf(store.page(ALL)), /^Connection terminated/)
    link.thaw()
    assert.equal((await store.page(ALL)).total, 1)
  })

  it('is on a new connection once another one was found dead', async (test) => {
    const { link, store } = await storeBehindLink(test)
    await readAtOnce(store)
    link.abandon()
    assert.match(await refusalOf(store.page(ALL)), /^Connection terminated/)
    const [one] = await readAtOnce(store)
    assert.equal(one?.total, 1)
  })

  it('that only takes long is waited for', async (test) => {
    const { url, store } = await storeBehindLink(test)
    const foreign = await connectFor(test, url)
    await foreign.query('begin; lock table messages in access exclusive mode')
    const reading = store.page(ALL)
    await until('it waits', async () => {
      const { rows } = await foreign.query(
        "select from pg_locks where not granted and relation = 'messages'::regclass",
      )
      return rows.length > 0
    })
    // Twice as long as a silence that is looked into.
    await delay(4500)
    await foreign.query('commit')
    assert.equal((await reading).total, 1)
  })

  it('of much that arrives slowly is waited for', async (test) => {
    const { link, store } = await storeBehindLink(test)
    await insertAll(store, [aMessage({ text: 'x'.repeat(4000) })])
    await store.page(ALL)
    link.trickle(1000)
    assert.equal((await store.page(ALL)).total, 2)
  })
})
