// What one replica commits, the others hear of.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { aMessage, insertAll } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

/** A store that listens, and how often it has heard of commits. */
async function openListening(
  test: TestContext,
  url: string,
  onUpkeepError: (error: unknown) => void = assert.ifError,
) {
  const heard = { times: 0 }
  const onCommitted = () => {
    heard.times++
  }
  const store = await openStoreFor(test, url, { onCommitted, onUpkeepError })
  // Opening counts as hearing, and so does listening: something may have been committed before.
  await until('it listens', () => heard.times >= 2)
  return { store, heard }
}

it('a replica on PostgreSQL hears of the commits of others, also after its connection was lost', async (test) => {
  const url = await newDatabase()
  const { heard } = await openListening(test, url)
  const { store: other } = await openListening(test, url)
  const before = heard.times
  await insertAll(other, [aMessage()])
  await until('it hears', () => heard.times > before)
  const client = await connectFor(test, url)
  // What such a connection said last is to listen or, after a while, that it is still there.
  const { rows } = await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where (query like 'listen %' or query = 'select') and datname = current_database()`,
  )
  assert.equal(rows.length, 2)
  const lost = heard.times
  await until('it listens again, and looks for what it missed', () => heard.times > lost)
  const again = heard.times
  await insertAll(other, [aMessage()])
  await until('it hears again', () => heard.times > again)
})

it('a replica hears again after the other end of its connection vanished without a word', async (test) => {
  const url = await newDatabase()
  const link = await TcpProxy.start(test, Number(new URL(url).port))
  // What is done beside storing loses its connections too.
  const { heard } = await openListening(test, link.urlFor(url), () => {})
  const other = await openStoreFor(test, url)
  link.abandon()
  const before = heard.times
  await insertAll(other, [aMessage()])
  await until('it listens again, and looks for what it missed', () => heard.times > before)
  const again = heard.times
  await insertAll(other, [aMessage()])
  await until('it hears again', () => heard.times > again)
})

it('a replica does not wake itself up', async (test) => {
  const url = await newDatabase()
  const { store, heard } = await openListening(test, url)
  const other = await openStoreFor(test, url)
  const before = heard.times
  for (let i = 0; i < 5; i++) await insertAll(store, [aMessage()])
  await insertAll(other, [aMessage()])
  await until('the last is heard of', () => heard.times > before)
  assert.equal(heard.times, before + 1)
})
