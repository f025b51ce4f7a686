// A schema in which others may create, as `public` is in clusters that come from before PostgreSQL 15:
// functions of theirs with our names and other parameters take no call of the service.
import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { aMessage, insertAll } from '../support/a-message.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { connectFor, daysOf, openStoreFor } from '../support/postgres-stores.ts'
import { until } from '../support/until.ts'

/** What the service calls with parameters. */
const CALLED = ['expire_intakes_2', 'fold_changes_1', 'ingest_1', 'make_days_1']

/**
 * Definitions of functions with our names: each answers as ours might, and does nothing. A parameter
 * whose type the caller leaves open is text to the server.
 */
const OVERLOADS = `select proname as name, format('create function %I.%I(%s) returns %s language sql as $$ select %L::%s $$',
    pronamespace::regnamespace, proname, array_to_string(array_fill('text'::text, array[pronargs]), ', '),
    prorettype::regtype, case prorettype::regtype::text when 'json' then '[]' else '0' end, prorettype::regtype) as definition
  from pg_proc where proname = any ($1) and pronargs > 0 order by 1`

/** Each fits better than the server's own where the types of a call are not exactly those. */
const BLINDING = `
  create function public.quote_ident(name) returns text language sql as $$ select 'nobody' $$;
  create function public.acldefault(text, oid) returns aclitem[] language sql as $$ select '{}'::aclitem[] $$;
  create function public.pg_has_role(name, oid, varchar) returns boolean language sql as $$ select true $$;
  create function public.differ(oid, regclass) returns boolean language sql as $$ select false $$;
  create operator public.= (function = public.differ, leftarg = oid, rightarg = regclass);
  create function public.differ(oid, regnamespace) returns boolean language sql as $$ select false $$;
  create operator public.= (function = public.differ, leftarg = oid, rightarg = regnamespace);
  create function public.differ(oid, integer) returns boolean language sql as $$ select false $$;
  create operator public.= (function = public.differ, leftarg = oid, rightarg = integer);`

describe('a schema in which others may create', () => {
  let server: PostgresServer
  before(async () => {
    server = await PostgresServer.start()
    await server.query(
      'create role webhook login; create role stranger login; create role "Odd one"',
    )
  })
  after(() => server.remove())

  /** A database of a cluster that was upgraded, by its name. */
  async function openDatabase(): Promise<string> {
    const name = new URL(await server.newDatabase()).pathname.slice(1)
    await server.query('create extension pg_trgm; grant create on schema public to public', name)
    return name
  }

  /** Lets a stranger create functions that fit calls without types better than ours. */
  async function createOverloads(test: TestContext, database: string): Promise<void> {
    const stranger = await connectFor(test, server.url(database, 'stranger'))
    const { rows } = await stranger.query<{ name: string; definition: string }>(OVERLOADS, [CALLED])
    assert.deepEqual(
      rows.map(({ name }) => name),
      CALLED,
    )
    for (const { definition } of rows) await stranger.query(definition)
  }

  async function invadedStore(test: TestContext) {
    const database = await openDatabase()
    const url = server.url(database, 'webhook')
    await (await openStoreFor(test, url)).close()
    await createOverloads(test, database)
    return { database, store: await openStoreFor(test, url) }
  }

  it('stores messages, and folds its counters', async (test) => {
    const { database, store } = await invadedStore(test)
    await insertAll(store, [aMessage({ text: 'Stored' })])
    const { messages } = await store.page({ filter: {}, order: 'asc', limit: 10, offset: 0 })
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['Stored'],
    )
    await until('the counters are folded', async () => {
      const waiting = await server.query('select from count_changes', database)
      return waiting.length === 0
    })
  })

  it('makes the days of raw bodies, and lets them expire', async (test) => {
    const { database, store } = await invadedStore(test)
    const owner = await connectFor(test, server.url(database))
    const days = await daysOf(owner)
    await owner.query(`drop table intakes_${days.at(-1)}`)
    await openStoreFor(test, server.url(database, 'webhook'))
    assert.deepEqual(await daysOf(owner), days)
    await insertAll(store, [aMessage()])
    assert.equal(await store.expireIntakes(Date.now()), 'done')
  })

  it('is told of at the start, with what ends it, after which the service goes on', async (test) => {
    const database = await openDatabase()
    const url = server.url(database, 'webhook')
    const grant = 'GRANT CREATE ON SCHEMA public TO webhook;'
    const revoke = 'REVOKE CREATE ON SCHEMA public FROM'
    assert.deepEqual(await remediesAt(test, url), [`${grant} ${revoke} PUBLIC;`])
    await server.query(
      'grant create on schema public to webhook, postgres, stranger, "Odd one"',
      database,
    )
    const remedy = `${revoke} "Odd one", PUBLIC, stranger;`
    assert.deepEqual(await remediesAt(test, url), [remedy])
    await server.query(remedy, database)
    assert.deepEqual(await remediesAt(test, url), [])
    await (await connectFor(test, url)).query('create table still_allowed ()')
    const stranger = await connectFor(test, server.url(database, 'stranger'))
    await assert.rejects(stranger.query('create table refused ()'), { code: '42501' })
  })

  it('is told of also where they made what the look itself could call', async (test) => {
    const database = await openDatabase()
    await (await connectFor(test, server.url(database, 'stranger'))).query(BLINDING)
    const remedies = await remediesAt(test, server.url(database, 'webhook'))
    assert.equal(remedies.length, 1)
    assert.match(remedies[0] ?? '', /REVOKE CREATE ON SCHEMA public FROM PUBLIC;$/)
  })

  it('is none where it is the one of a user who owns the database', async (test) => {
    const name = new URL(await server.newDatabase('owner webhook')).pathname.slice(1)
    assert.deepEqual(await remediesAt(test, server.url(name, 'webhook')), [])
    // A schema of the service's own, in a database of many.
    await server.query('create schema "Tenant 1" authorization webhook', name)
    const url = `${server.url(name, 'webhook')}?options=-c%20search_path%3D%22Tenant%5C%201%22,public`
    await server.query('grant create on schema public to public', name)
    assert.deepEqual(await remediesAt(test, url), [])
    await server.query('grant create on schema "Tenant 1" to stranger', name)
    assert.deepEqual(await remediesAt(test, url), [
      'REVOKE CREATE ON SCHEMA "Tenant 1" FROM stranger;',
    ])
  })

  /** What a store that opens says has to be done. */
  async function remediesAt(test: TestContext, url: string): Promise<readonly string[]> {
    const remedies: string[] = []
    await openStoreFor(test, url, { onForeignCreators: (remedy) => remedies.push(remedy) })
    return remedies
  }
})
