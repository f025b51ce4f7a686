// Migrations of PostgreSQL whose connection is ended at any of their commands, or whose process is
// killed while another one starts beside it. MIGRATION_CUTS=100 for a longer run.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Client } from 'pg'
import { randomFrom } from '../../src/app/cli/random.ts'
import { type Migration, migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { expectedObjects, OBJECTS_SQL } from '../../src/app/store/postgres/schema-objects.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { isReady } from '../support/service.ts'
import { until } from '../support/until.ts'
import { newSettingFor, seedOf } from './setting.ts'

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

/** Ends the backend that runs it. */
const END = 'pg_terminate_backend(pg_backend_pid())'
/** Waits for whoever has taken GATE, however long that takes. */
const WAIT = "set_config('lock_timeout', '0', true), pg_advisory_xact_lock_shared(1, 2)"
const GATE = 'select pg_advisory_lock(1, 2)'

/** Counts the commands that define something, and does something at the one of this number. */
const trap = (command: number, action: string) => `
  create schema fault;
  create sequence fault.commands;
  create function fault.count() returns event_trigger language plpgsql as $$ begin
    if nextval('fault.commands') = ${command} then perform ${action}; end if;
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
  await on(url, (client) => client.query(trap(command, END)))
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

/** How many commands of all migrations define something. */
async function countCommands(server: PostgresServer): Promise<number> {
  return await on(await server.newDatabase(), async (client) => {
    await client.query(trap(0, END))
    await migrate(client)
    const { rows } = await client.query<{ n: string }>('select last_value as n from fault.commands')
    return Number(rows[0]?.n)
  })
}

/** Ends migrations at so many seeded commands; resolves with what was wrong after each. */
async function cutAtCommands(t: TestContext, cuts: number, migrations = MIGRATIONS) {
  const random = randomFrom(seedOf(t))
  const server = await PostgresServer.start()
  t.after(() => server.remove())
  const commands = await countCommands(server)
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

test(`PostgreSQL: of two replicas that start on an empty database one is killed amidst its migration, ${KILLS} times: the other has a whole schema`, {
  timeout: 3_600_000,
}, async (t) => {
  const random = randomFrom(seedOf(t))
  const server = await PostgresServer.start()
  t.after(() => server.remove())
  const commands = await countCommands(server)
  for (let kill = 0; kill < KILLS; kill++) {
    const command = 1 + Math.floor(((kill + random()) / KILLS) * commands)
    const url = await server.newDatabase()
    await on(url, (client) => killAt(t, url, client, command))
    assert.equal(await on(url, schemaFault), null, `killed at command ${command} of ${commands}`)
  }
})

/** Kills a replica that migrates at a command, while another one waits for it; that one gets ready. */
async function killAt(t: TestContext, url: string, gate: Client, command: number): Promise<void> {
  await gate.query(trap(command, WAIT))
  await gate.query(GATE)
  const waiting = async () => {
    const { rows } = await gate.query(
      `select 1 from pg_locks join pg_database d on d.oid = database
       where locktype = 'advisory' and not granted and datname = current_database()`,
    )
    return rows.length
  }
  const setting = newSettingFor(url, t)
  const doomed = setting.launch()
  await until('it is amidst its migration', async () => (await waiting()) === 1)
  const starting = setting.start()
  await until('the other one waits for it', async () => (await waiting()) === 2)
  await doomed.stop('SIGKILL')
  assert.doesNotMatch(doomed.stdout, /listening/)
  await gate.query('select pg_advisory_unlock_all()')
  const other = await starting
  await until('the other is ready', () => isReady(other))
  await other.stop('SIGKILL')
}
