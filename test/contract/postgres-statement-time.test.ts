// How long the server lets a statement of the connection that stores take.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connectWriter, withStatementTime } from '../../src/app/store/postgres/connections.ts'
import { newDatabase } from '../support/databases.ts'

/** The driver warns once where a query is sent while another one is under way. */
const warnings: string[] = []
process.on('warning', ({ message }) => warnings.push(message))

it('a statement that may take longer than others is given the time, and the next one is not', async (t) => {
  const client = await connectWriter(await newDatabase(), () => 60_000)
  t.after(() => client.end())
  const limit = async () => (await client.query('show statement_timeout')).rows[0]
  const usual = { statement_timeout: '10s' }
  assert.deepEqual(await withStatementTime(client, 5000, limit), usual)
  assert.deepEqual(await withStatementTime(client, 20_000.4, limit), {
    statement_timeout: '20001ms',
  })
  assert.deepEqual(await limit(), usual)
  const failing = () => client.query('select 1 / 0')
  await assert.rejects(withStatementTime(client, 20_000, failing), /division by zero/)
  assert.deepEqual(await limit(), usual)
  assert.deepEqual(warnings, [])
})

it('a connection that is lost under such a statement says so at once', async (t) => {
  const client = await connectWriter(await newDatabase(), () => 60_000)
  t.after(() => client.end().catch(() => {}))
  const losing = () => client.query('select pg_terminate_backend(pg_backend_pid())')
  await assert.rejects(withStatementTime(client, 20_000, losing), { code: '57P01' })
})
