// What one replica commits, the others hear of.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { aMessage, insertAll } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

it('a replica on PostgreSQL hears of the commits of others, also after its connection was lost', async (test) => {
  const url = await newDatabase()
  let heard = 0
  await openStoreFor(test, url, {
    onCommitted: () => {
      heard++
    },
  })
  const other = await openStoreFor(test, url)
  // Opening counts as hearing: something may have been committed before.
  await until('it listens', () => heard >= 2)
  const before = heard
  await insertAll(other, [aMessage()])
  await until('it hears', () => heard > before)
  const client = await connectFor(test, url)
  const { rows } = await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where query like 'listen %' and datname = current_database()`,
  )
  assert.equal(rows.length, 2)
  const lost = heard
  await until('it listens again, and looks for what it missed', () => heard > lost)
  const again = heard
  await insertAll(other, [aMessage()])
  await until('it hears again', () => heard > again)
})

it('a replica hears again after the other end of its connection vanished without a word', async (test) => {
  const url = await newDatabase()
  const link = await TcpProxy.start(test, Number(new URL(url).port))
  let heard = 0
  await openStoreFor(test, link.urlFor(url), {
    onCommitted: () => {
      heard++
    },
  })
  const other = await openStoreFor(test, url)
  await until('it listens', () => heard >= 2)
  link.abandon()
  const before = heard
  await insertAll(other, [aMessage()])
  await until('it listens again, and looks for what it missed', () => heard > before)
  const again = heard
  await insertAll(other, [aMessage()])
  await until('it hears again', () => heard > again)
})

it('a replica does not wake itself up', async (test) => {
  const url = await newDatabase()
  let heard = 0
  const store = await openStoreFor(test, url, {
    onCommitted: () => {
      heard++
    },
  })
  await until('it listens', () => heard >= 2)
  const other = await openStoreFor(test, url)
  const before = heard
  for (let i = 0; i < 5; i++) await insertAll(store, [aMessage()])
  await insertAll(other, [aMessage()])
  await until('the last is heard of', () => heard > before)
  assert.equal(heard, before + 1)
})
