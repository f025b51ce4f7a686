// The connection that is kept for storing.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Client } from 'pg'
import { StoreUnavailableError } from '../../src/app/errors.ts'
import { connectWriter } from '../../src/app/store/postgres/connections.ts'
import { HeldConnection } from '../../src/app/store/postgres/held-connection.ts'
import { prepareEventually } from '../../src/app/store/postgres/opening.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aMessage, insertAll } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

/** No turn here should end because it took long. */
const LONG = () => 60_000

async function hold(test: TestContext) {
  const url = await newDatabase()
  const held = new HeldConnection((msLeft) => connectWriter(url, msLeft))
  test.after(() => held.close())
  return { url, held }
}

async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return rows[0]?.pid ?? 0
}

describe('the connection that stores', () => {
  it('is the same one again and again', async (test) => {
    const { held } = await hold(test)
    const first = await held.use(LONG, backendOf)
    assert.equal(await held.use(LONG, backendOf), first)
  })

  it('is given at once to whoever asks while it is free: what is to be stored is on its way', async (test) => {
    const { held } = await hold(test)
    await held.use(LONG, backendOf)
    let began = false
    const using = held.use(LONG, (client) => {
      began = true
      return backendOf(client)
    })
    assert.equal(began, true)
    await using
  })

  it('is lent to one at a time, in their order, also where somebody comes in between', async (test) => {
    const { held } = await hold(test)
    const order: string[] = []
    const use = (name: string) =>
      held.use(LONG, async (client) => {
        order.push(`${name} begins`)
        await backendOf(client)
        order.push(`${name} ends`)
      })
    const first = use('a')
    const second = use('b')
    const third = first.then(() => use('c'))
    await Promise.all([first, second, third])
    const expected = ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`])
    assert.deepEqual(order, expected)
  })

  it('is made anew after an error, and whoever waits is served', async (test) => {
    const { held } = await hold(test)
    const first = await held.use(LONG, backendOf)
    const failing = held.use(LONG, (client) => client.query('select 1/0'))
    const waiting = held.use(LONG, backendOf)
    await assert.rejects(failing, /division by zero/)
    assert.notEqual(await waiting, first)
  })

  it('is made anew after one that was refused, although its other end never closes', {
    timeout: 20_000,
  }, async (test) => {
    const url = await newDatabase()
    const link = await TcpProxy.start(test, Number(new URL(url).port))
    link.neverClose()
    const nowhere = new URL(link.urlFor(url))
    nowhere.pathname = '/nowhere'
    const urls = [nowhere.href]
    const held = new HeldConnection((msLeft) => connectWriter(urls.shift() ?? url, msLeft))
    test.after(() => held.close())
    const refused = held.use(LONG, backendOf)
    const waiting = held.use(LONG, backendOf)
    await assert.rejects(refused, { code: '3D000' })
    assert.ok((await waiting) > 0)
  })

  it('is kept after what the server has undone by itself', async (test) => {
    const { held } = await hold(test)
    const first = await held.use(LONG, backendOf)
    for (const code of ['40001', '40P01', 'WW001']) {
      const undone = `do $$ begin raise exception using errcode = '${code}'; end $$`
      await assert.rejects(held.use(LONG, (client) => client.query(undone)))
    }
    assert.equal(await held.use(LONG, backendOf), first)
  })

  it('is made anew where the server ended it while nobody used it', async (test) => {
    const { url, held } = await hold(test)
    const first = await held.use(LONG, backendOf)
    const other = await connectFor(test, url)
    await other.query('select pg_terminate_backend($1)', [first])
    await until('the service has heard of it', async () => {
      const { rows } = await other.query('select 1 from pg_stat_activity where pid = $1', [first])
      return rows.length === 0
    })
    // The server's word arrives right after its process is gone.
    await until('there is another one', async () => {
      const next = await held.use(LONG, backendOf).catch(() => first)
      return next !== first
    })
  })

  it('is not made any more once it is closed, and what is under way is ended', async (test) => {
    const { url, held } = await hold(test)
    await held.use(LONG, backendOf)
    const sleeping = held.use(LONG, (client) => client.query('select pg_sleep(60)'))
    const waiting = held.use(LONG, backendOf)
    const answers = Promise.allSettled([sleeping, waiting])
    await held.close()
    for (const answer of await answers) assert.equal(answer.status, 'rejected')
    await assert.rejects(held.use(LONG, backendOf), StoreUnavailableError)
    const other = await connectFor(test, url)
    await until('no connection is left', async () => {
      const { rows } = await other.query(
        `select 1 from pg_stat_activity
         where application_name = 'whatsapp-webhook-service' and datname = current_database()
           and query not like '%pg_sleep%'`,
      )
      return rows.length === 0
    })
  })
})

describe('a server that is waited for', () => {
  it('is not asked any more once nobody wants it', async () => {
    let wanted = true
    const url = `postgresql://nobody@127.0.0.1:${await freePort()}/none`
    const isWanted = () => wanted
    const waiting = prepareEventually(url, { after: null, isWanted, onFailure: assert.ifError })
    wanted = false
    await waiting
  })

  it('is named, also where it goes away later', async (test) => {
    const url = await newDatabase()
    const link = await TcpProxy.start(test, Number(new URL(url).port))
    const reasons: string[] = []
    const onUpkeepError = (error: unknown) => {
      assert.ok(error instanceof StoreUnavailableError)
      reasons.push(error.message)
    }
    const store = await openStoreFor(test, link.urlFor(url), { onUpkeepError })
    await until('it has begun', () => isReady(store))
    await insertAll(store, [aMessage()])
    // What is done behind the commit is under way.
    link.pointTo(await freePort())
    const named = `the connection to 127.0.0.1:${link.port} was lost `
    await until('it is named', () => reasons.some((reason) => reason.startsWith(named)))
  })
})

function isReady(store: MessageStore): Promise<boolean> {
  return store.probe().then(
    () => true,
    () => false,
  )
}
