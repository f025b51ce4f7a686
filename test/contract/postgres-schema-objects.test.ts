// The list that `verify` compares a schema with, against what the migrations really make. After a new
// migration: WRITE_SCHEMA_OBJECTS=1 node --test test/contract/postgres-schema-objects.test.ts
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { migrate } from '../../src/app/store/postgres/schema.ts'
import { expectedObjects, OBJECTS_SQL } from '../../src/app/store/postgres/schema-objects.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor } from '../support/postgres-stores.ts'

const FILE = new URL('../../src/app/store/postgres/schema-objects.json', import.meta.url)

it('the list of what a schema consists of is what the migrations make', async (test) => {
  const client = await connectFor(test, await newDatabase())
  await migrate(client)
  const { rows } = await client.query<{ name: string; definition: string }>(OBJECTS_SQL)
  const made = Object.fromEntries(rows.map(({ name, definition }) => [name, definition]))
  assert.equal(Object.keys(made).length, rows.length, 'two things have one name')
  if (process.env['WRITE_SCHEMA_OBJECTS'] === '1') {
    writeFileSync(FILE, `${JSON.stringify(made, null, 2)}\n`)
  }
  assert.deepEqual(made, expectedObjects())
})
