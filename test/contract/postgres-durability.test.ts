// What is committed is flushed, also where the database's own default is not to wait for it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Client } from 'pg'
import { connectAlone, createClient } from '../../src/app/store/postgres/connections.ts'
import { openSqliteStore } from '../../src/app/store/sqlite/sqlite-store.ts'
import { aMessage, insertAll } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { runCommand } from '../support/run-command.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

/** An empty database whose sessions begin without waiting for the disk. */
async function carelessDatabase(t: TestContext): Promise<string> {
  const url = await newDatabase()
  const client = await connectFor(t, url)
  const name = new URL(url).pathname.slice(1)
  await client.query(`alter database ${name} set synchronous_commit = off`)
  return url
}

async function settingOf(client: Client): Promise<unknown> {
  const { rows } = await client.query('show synchronous_commit')
  return rows[0]?.synchronous_commit
}

/** Writes down, with every row of a message, how its transaction will commit. */
const WITNESS = `
  create table witnessed (setting text);
  create function witness() returns trigger language plpgsql as $$
    begin
      insert into witnessed values (current_setting('synchronous_commit'));
      return null;
    end $$;
  create trigger witness after insert on messages for each row execute function witness()`

describe('a database with synchronous_commit = off', () => {
  it('is written to with commits that wait for the disk, by whoever migrates or copies', async (t) => {
    const url = await carelessDatabase(t)
    const careless = createClient(url)
    await careless.connect()
    t.after(() => careless.end())
    assert.equal(await settingOf(careless), 'off', 'it is what whoever does not ask gets')
    const careful = await connectAlone(url)
    t.after(() => careful.end())
    assert.equal(await settingOf(careful), 'on')
  })

  it('has commits that waited in what the service stores and migrate-store copies', async (t) => {
    const cwd = temporaryDirectory(t)
    const file = join(cwd, 'messages.db')
    const source = await openSqliteStore({ file, onIndexError: assert.ifError })
    await insertAll(source, [aMessage(), aMessage()])
    await source.close()
    for (const how of ['the service', 'migrate-store']) {
      const url = await carelessDatabase(t)
      const store = await openStoreFor(t, url)
      const client = await connectFor(t, url)
      await client.query(WITNESS)
      if (how === 'the service') await insertAll(store, [aMessage(), aMessage()])
      await store.close()
      if (how === 'migrate-store') {
        const copied = await runCommand(['migrate-store', `sqlite:///${file}`, url], { cwd })
        assert.equal(copied.code, 0, copied.stderr)
      }
      const { rows } = await client.query('select setting from witnessed')
      assert.deepEqual(rows, [{ setting: 'on' }, { setting: 'on' }], how)
    }
  })
})

/** Changes a server's `fsync` as its operator would, while it runs; resolves when sessions see it. */
async function setFsync(server: PostgresServer, value: 'on' | 'off'): Promise<void> {
  await server.query(`alter system set fsync = ${value}`)
  await server.query('select pg_reload_conf()')
  await until(`fsync is ${value}`, async () => {
    const [row] = await server.query<{ fsync: string }>('show fsync')
    return row?.fsync === value
  })
}

describe('a server that is told to flush no more', () => {
  let server: PostgresServer
  before(async () => {
    server = await PostgresServer.start()
  })
  after(() => server.remove())

  it('stores nothing, and is not ready, until it flushes again', async (t) => {
    const url = await server.newDatabase()
    const store = await openStoreFor(t, url)
    await insertAll(store, [aMessage()])
    const refusal = { name: 'StoreUnavailableError', message: /fsync=off/ }

    await setFsync(server, 'off')
    await assert.rejects(insertAll(store, [aMessage()]), refusal)
    await assert.rejects(store.probe(), refusal)
    const [count] = await server.query<{ n: number }>(
      'select count(*)::int as n from messages',
      new URL(url).pathname.slice(1),
    )
    assert.equal(count?.n, 1)

    await setFsync(server, 'on')
    await insertAll(store, [aMessage()])
    await store.probe()
  })
})
