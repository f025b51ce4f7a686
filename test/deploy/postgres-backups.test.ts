// The commands of docs/deployment.md that back up and restore a PostgreSQL database, run on a server that
// stands for the container's.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { aText, change } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { runCommand } from '../support/run-command.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { commandsWith, type Ended, shell } from './guide.ts'

const PROGRAMS = ['initdb', 'postgres', 'pg_dump', 'pg_restore', 'createdb', 'dropdb', 'psql']
/** Where Debian puts each version's; the package that other tests take their server from has no pg_dump. */
const VERSIONS = '/usr/lib/postgresql'
const OLDEST = 15

const binaries = (existsSync(VERSIONS) ? readdirSync(VERSIONS) : [])
  .filter((version) => Number(version) >= OLDEST)
  .map((version) => join(VERSIONS, version, 'bin'))
  .find((directory) => PROGRAMS.every((program) => existsSync(join(directory, program))))

const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)
/** What a version to come might add: a function that needs a table, and things of its own. */
const NEXT = {
  version: MIGRATIONS.length + 1,
  oldestReplica: 1,
  sql: `
    alter table contacts add column notes text;
    create table labels (id bigint primary key);
    create function noted_1(known contacts) returns contacts language sql as 'select known'`,
}

test('a PostgreSQL database is restored as it was before an update, and can be updated again', {
  skip: binaries === undefined && `no PostgreSQL with pg_dump in ${VERSIONS}`,
}, async (t) => {
  process.env['TEST_POSTGRES_BINARIES'] = binaries
  const server = await PostgresServer.start()
  t.after(() => server.remove())
  const url = await newDatabase(server)
  await inOneGo(t, url, 'first')
  const place = newPlace(t, server)
  await succeeds(place(commandsWith('pg_dump --username webhook')))
  await update(t, url)
  await inOneGo(t, url, 'second')

  await succeeds(place(commandsWith('pg_restore --username webhook')))

  const { stdout } = await runCommand(['verify', '--database', url], { cwd: temporaryDirectory(t) })
  assert.match(stdout, /^1 message of 1 sender, .*: everything agrees\.$/m)
  await update(t, url)
  await inOneGo(t, url, 'third')
  const stored = 'select seq from messages order by seq'
  const [first, third] = await server.query<{ seq: string }>(stored, 'webhook')
  assert.ok(Number(third?.seq) - Number(first?.seq) > 1_000_000_000)
})

/** As the image makes it: the user owns the server too. */
async function newDatabase(server: PostgresServer): Promise<string> {
  await server.query('create role webhook superuser login')
  await server.query('create database webhook owner webhook')
  return server.url('webhook', 'webhook')
}

/** A replica starts, stores a message and ends. */
async function inOneGo(t: TestContext, url: string, id: string): Promise<void> {
  const store = await openStoreFor(t, url)
  await store.insert([intakeWith(change({ messages: [aText({ id })] }))])
  await store.close()
}

/** As the start of the next version does. A connection that stays would keep the database from its new name. */
async function update(t: TestContext, url: string): Promise<void> {
  const client = await connectFor(t, url)
  await migrate(client, [...MIGRATIONS, NEXT])
  await client.end()
}

/** Runs commands in one directory as `docker compose` would in the container, on one day. */
function newPlace(t: TestContext, { port }: PostgresServer) {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'date'), '#!/bin/sh\necho 2026-11-26\n')
  chmodSync(join(cwd, 'date'), 0o755)
  const programs = [cwd, binaries].join(delimiter)
  return (commands: string) => {
    const script = commands
      .replaceAll(/^ *docker compose --profile postgres (stop|up) .*$/gm, 'true')
      .replaceAll(/docker compose --profile postgres exec -T postgres (\\\n)?/g, '')
    return shell(script, {
      ...{ cwd, programs },
      environment: { PGHOST: '127.0.0.1', PGPORT: String(port) },
    })
  }
}

async function succeeds(ended: Promise<Ended>): Promise<void> {
  const { code, stderr } = await ended
  assert.equal(code, 0, stderr)
}
