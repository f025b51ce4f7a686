// Migrations of PostgreSQL whose connection is ended at any of their commands, or whose process is
// killed while another one starts beside it. MIGRATION_CUTS=100 for a longer run.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { type Migration, migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { expectedObjects, OBJECTS_SQL } from '../../src/app/store/postgres/schema-objects.ts'
import { ENGINES, type Engine } from '../support/engines.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { randomFrom } from '../support/random.ts'
import { isReady, type Process } from '../support/service.ts'
import { until } from '../support/until.ts'
import { newSettingOn, seedOf } from './setting.ts'

const CUTS = Number(process.env['MIGRATION_CUTS'] ?? 12)
/** Killing a process takes longer than ending a connection: one for so many. */
const KILLS = Math.ceil(CUTS / 4)
const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)

/** The migrations with each of their definitions in a transaction of its own. */
const CARELESS: readonly Migration[] = MIGRATIONS.map((migration) => ({
  ...migration,
  sql: migration.sql.replaceAll(/^create /gm, 'commit; begin; create '),
}))

/** Counts the commands that define something, and ends the backend that runs the one of this number. */
const trap = (deadly: number) => `
  create schema fault;
  create sequence fault.commands;
  create function fault.count() returns event_trigger language plpgsql as $$ begin
    if nextval('fault.commands') = ${deadly} then perform pg_terminate_backend(pg_backend_pid()); end if;
  end $$;
  create event trigger count on ddl_command_end execute function fault.count()`

async function on<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** By which a schema is not the one that an uninterrupted migration makes; null where it is. */
async function schemaFault(client: Client): Promise<string | null> {
  const { rows: objects } = await client.query<{ name: string; definition: string }>(OBJECTS_SQL)
  const { rows: applied } = await client.query<{ version: number }>(
    'select version from schema_migrations order by version',
  )
  try {
    assert.deepEqual(
      Object.fromEntries(objects.map(({ name, definition }) => [name, definition])),
      expectedObjects(),
    )
    assert.deepEqual(
      applied.map(({ version }) => version),
      MIGRATIONS.map(({ version }) => version),
    )
    return null
  } catch (error) {
    return String(error)
  }
}

/** Ends a migration at a command, and lets another one finish; resolves with what is wrong then. */
async function cutAt(url: string, command: number, migrations: readonly Migration[]) {
  await on(url, (client) => client.query(trap(command)))
  await assert.rejects(on(url, (client) => migrate(client, migrations)))
  return await on(url, async (client) => {
    try {
      await migrate(client, migrations)
      return await schemaFault(client)
    } catch (error) {
      return `It can't be completed: ${String(error)}`
    }
  })
}

/** Ends migrations at so many seeded commands; resolves with what was wrong after each. */
async function cutAtCommands(t: TestContext, cuts: number, migrations = MIGRATIONS) {
  const random = randomFrom(seedOf(t))
  const server = await PostgresServer.start()
  t.after(() => server.remove())
  const whole = await server.newDatabase()
  const commands = await on(whole, async (client) => {
    await client.query(trap(0))
    await migrate(client)
    const { rows } = await client.query<{ n: string }>('select last_value as n from fault.commands')
    return Number(rows[0]?.n)
  })
  const found: string[] = []
  for (let cut = 0; cut < cuts; cut++) {
    // One in each part of the way.
    const command = 1 + Math.floor(((cut + random()) / cuts) * commands)
    const url = await server.newDatabase()
    const fault = await cutAt(url, command, migrations)
    if (fault !== null) found.push(`Ended at command ${command} of ${commands}: ${fault}`)
    await server.query(`drop database ${new URL(url).pathname.slice(1)} with (force)`)
  }
  t.diagnostic(`${cuts} connections ended in ${commands} commands`)
  return found
}

test(`PostgreSQL: a migration whose connection ends at ${CUTS} of its commands is completed by the next`, {
  timeout: 3_600_000,
}, async (t) => {
  assert.deepEqual(await cutAtCommands(t, CUTS), [])
})

test('PostgreSQL: the twin that defines one thing after the other without a transaction is caught', async (t) => {
  assert.ok((await cutAtCommands(t, 4, CARELESS)).length > 0)
})

test(`PostgreSQL: of two replicas that start on an empty database one is killed, ${KILLS} times: the other has a whole schema`, {
  timeout: 3_600_000,
}, async (t) => {
  const engine = ENGINES.find(({ name }) => name === 'PostgreSQL')
  assert.ok(engine)
  const random = randomFrom(seedOf(t))
  const startMs = await startTogether(t, engine)
  let amidst = 0
  for (let kill = 0; kill < KILLS; kill++) {
    await startTogether(t, engine, async (doomed) => {
      await delay(startMs * (0.3 + 0.7 * random()))
      if (!doomed.stdout.includes('listening')) amidst++
      await doomed.stop('SIGKILL')
    })
  }
  t.diagnostic(`${amidst} of ${KILLS} were killed before they listened`)
})

/** Starts two replicas on a new database, and checks what they make of it; resolves with the time, in ms. */
async function startTogether(
  t: TestContext,
  engine: Engine,
  strike: (doomed: Process) => Promise<void> = async () => {},
): Promise<number> {
  const setting = await newSettingOn(engine, t)
  const start = performance.now()
  const doomed = setting.launch()
  const [other] = await Promise.all([setting.start(), strike(doomed)])
  await until('the other is ready', () => isReady(other))
  const ms = performance.now() - start
  assert.equal(await on(setting.url, schemaFault), null)
  await Promise.all([doomed.stop('SIGKILL'), other.stop('SIGKILL')])
  return ms
}
