// Empty PostgreSQL databases: on the server that TEST_DATABASE_URL names, or on one that is started
// for the test file and ends with it.
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { PostgresServer } from './postgres-server.ts'

const FOREIGN = process.env['TEST_DATABASE_URL']

let own: Promise<PostgresServer> | null = null
const created: string[] = []

// After every test and hook: stores are closed by then.
process.once('beforeExit', () => {
  if (FOREIGN !== undefined) void dropAll(FOREIGN)
})

/** The options with which a database is created that lacks most characters. */
export const NARROW = "encoding 'LATIN1' locale 'C' template template0"

/** The URL of a database of its own, empty. `options` end the statement that creates it. */
export async function newDatabase(options = ''): Promise<string> {
  if (FOREIGN === undefined) {
    own ??= PostgresServer.start()
    return (await own).newDatabase(options)
  }
  const name = `webhook_test_${randomBytes(6).toString('hex')}`
  await query(FOREIGN, `create database ${name} ${options}`)
  created.push(name)
  const url = new URL(FOREIGN)
  url.pathname = `/${name}`
  return url.href
}

async function dropAll(url: string): Promise<void> {
  for (const name of created) await query(url, `drop database ${name} with (force)`)
}

async function query(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}
