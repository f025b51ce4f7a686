import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { UNFINISHED } from '../../src/app/store/sql/tables.ts'
import { NARROW } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { runCommand } from '../support/run-command.ts'
import { refusedStart, startService } from '../support/service.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)
const LAST = MIGRATIONS.at(-1)?.version ?? 0
const PASSWORD = 'canary-password'

/** What doctor says of the database. */
async function findingsFor(test: TestContext, url: string): Promise<string[]> {
  const cwd = temporaryDirectory(test)
  const environment = { DATABASE_URL: url, PORT: '1', PGPASSFILE: join(cwd, 'none') }
  const { stdout, stderr } = await runCommand(['doctor'], { cwd, environment })
  assert.ok(!`${stdout}${stderr}`.includes(PASSWORD), 'it shows a password')
  return stdout.split('\n').filter((line) => /^\S+ +database/.test(line))
}

describe('doctor, of PostgreSQL', () => {
  let server: PostgresServer
  before(async () => {
    server = await PostgresServer.create()
    // Who may come in depends on the user: the superuser as in every test, two others hardly.
    const file = join(server.directory, 'pg_hba.conf')
    const strict = ['hostssl all encrypted all trust', 'host all encrypted all reject']
    strict.push('host all guarded all scram-sha-256')
    writeFileSync(file, `${strict.join('\n')}\n${readFileSync(file, 'utf8')}`)
    await server.start()
    await server.query(`create user guarded password 'another'; create user encrypted`)
  })
  after(() => server.remove())

  const as = (url: string, user: string) => {
    const changed = new URL(url)
    changed.username = user
    changed.password = PASSWORD
    return changed.href
  }

  it('says that a database is empty, and once the service was there, its schema', async (test) => {
    const url = await server.newDatabase()
    const [about, empty] = await findingsFor(test, url)
    assert.match(about ?? '', /^ok {5}database server: is PostgreSQL \d+\.\d/)
    assert.equal(empty, 'check  database: has no schema yet: the service makes it when it starts.')
    await openStoreFor(test, url)
    const [, made] = await findingsFor(test, url)
    assert.equal(made, `ok     database: has schema ${LAST}, and ${LAST} is needed.`)
  })

  it('names a schema that is too old or too new, and a copy that is not complete', async (test) => {
    const url = await server.newDatabase()
    const client = await connectFor(test, url)
    await migrate(client, MIGRATIONS.slice(0, 1))
    assert.match((await findingsFor(test, url))[1] ?? '', /^FAULT {2}database: .*version 1 and not/)
    await migrate(client)
    await client.query('update store set identity = identity || $1', [UNFINISHED])
    assert.match((await findingsFor(test, url))[1] ?? '', /^FAULT .* run migrate-store again\.$/)
    await migrate(client, [{ version: LAST + 1, oldestReplica: LAST + 1, sql: '' }])
    assert.match((await findingsFor(test, url))[1] ?? '', /^FAULT .* start a newer version/)
  })

  it('names a server that does not flush', async (test) => {
    const careless = await PostgresServer.start({ settings: ['fsync=off'] })
    test.after(() => careless.remove())
    const found = await findingsFor(test, await careless.newDatabase())
    assert.match(found.join('\n'), /^FAULT {2}database server: runs with fsync=off/m)
  })

  it('names an encoding that lacks characters', async (test) => {
    const found = await findingsFor(test, await server.newDatabase(NARROW))
    assert.equal(
      found[1],
      'FAULT  database: has the encoding LATIN1, which does not hold every character: create it with encoding UTF8.',
    )
  })

  it('says who else may create in the schema, as the service does at its start', async (test) => {
    const url = await server.newDatabase()
    await server.query('grant create on schema public to public', new URL(url).pathname.slice(1))
    const remedy = 'REVOKE CREATE ON SCHEMA public FROM PUBLIC;'
    const found = await findingsFor(test, url)
    assert.match(found.at(-1) ?? '', /^check {2}database: lets others create in its schema, /)
    assert.ok(found.at(-1)?.endsWith(`Let its owner run: ${remedy}`))
    const environment = { DATABASE_URL: url, API_KEYS: 'reader:key' }
    const service = await startService(test, { cwd: temporaryDirectory(test), environment })
    await service.logged('listening')
    assert.ok(service.log.some((entry) => entry['level'] === 'warn' && entry['remedy'] === remedy))
  })

  it('is agreed with by a service that can not start', async (test) => {
    const url = await server.newDatabase()
    const other = await server.newDatabase()
    await server.query('create table messages ()', new URL(other).pathname.slice(1))
    for (const [database, sentence] of [
      [as(url, 'guarded'), /refuses the password: set the right one/],
      [as(url, 'guarded').replace(`:${PASSWORD}@`, '@'), /asks for a password: set PGPASSWORD/],
      [url.replace(/\w+$/, 'nowhere'), /no database "nowhere": create it/],
      [other, /tables of another program/],
    ] as const) {
      const cwd = temporaryDirectory(test)
      const variables = { API_KEYS: 'reader:key', PORT: '0', PGPASSFILE: join(cwd, 'none') }
      const environment = { ...variables, DATABASE_URL: database }
      const { code, stderr } = await refusedStart(test, { cwd, environment })
      assert.equal(code, 2)
      assert.match(stderr, /^The PostgreSQL database can't be used: .*\.\n$/)
      assert.match(stderr, sentence)
    }
  })

  const faults: readonly [string, (url: string) => string | Promise<string>, RegExp][] = [
    [
      'a database that is not there',
      (url) => url.replace(/\w+$/, 'nowhere'),
      /no database "nowhere"/,
    ],
    ['a wrong password', (url) => as(url, 'guarded'), /refuses the password/],
    ['a user who may not come in', (url) => as(url, 'encrypted'), /pg_hba\.conf .*sslmode=require/],
    ['a server without TLS', (url) => `${as(url, 'postgres')}?sslmode=require`, /has no TLS/],
    [
      'a host that is unknown',
      (url) => url.replace('127.0.0.1', 'nowhere.invalid'),
      /nowhere\.invalid/,
    ],
    [
      'a port where nobody listens',
      async (url) => url.replace(/:\d+\//, `:${await freePort()}/`),
      /^FAULT {2}database: can't be used: 127\.0\.0\.1:\d+ refuses connections: /,
    ],
  ]
  for (const [what, change, finding] of faults) {
    it(`names ${what}`, async (test) => {
      const url = await change(as(await server.newDatabase(), 'postgres'))
      const found = await findingsFor(test, url)
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0] ?? '', /^FAULT {2}database: can't be used: /)
      assert.match(found[0] ?? '', finding)
    })
  }
})
