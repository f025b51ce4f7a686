// The list that `verify` compares a schema with, and the functions as they are read, against what the
// migrations really make. After a new migration: WRITE_SCHEMA_OBJECTS=1 node --test test/contract/postgres-schema-objects.test.ts
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import type { Client } from 'pg'
import { migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { expectedObjects, OBJECTS_SQL } from '../../src/app/store/postgres/schema-objects.ts'
import { newDatabase } from '../support/databases.ts'
import { functionsOf, functionsText } from '../support/postgres-functions.ts'
import { connectFor } from '../support/postgres-stores.ts'

const POSTGRES = new URL('../../src/app/store/postgres/', import.meta.url)
const OBJECTS_FILE = new URL('schema-objects.json', POSTGRES)
const FUNCTIONS_FILE = new URL('functions.sql', POSTGRES)
const isToWrite = process.env['WRITE_SCHEMA_OBJECTS'] === '1'

async function objectsOf(client: Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; definition: string }>(OBJECTS_SQL)
  const made = Object.fromEntries(rows.map(({ name, definition }) => [name, definition]))
  assert.equal(Object.keys(made).length, rows.length, 'two things have one name')
  return made
}

it('the list of what a schema consists of is what the migrations make', async (test) => {
  const client = await connectFor(test, await newDatabase())
  await migrate(client)
  const made = await objectsOf(client)
  if (isToWrite) writeFileSync(OBJECTS_FILE, `${JSON.stringify(made, null, 2)}\n`)
  assert.deepEqual(made, expectedObjects())
})

it('the functions that are there to be read are those that the migrations make', async (test) => {
  const functions = functionsOf(readMigrations(new URL('migrations/', POSTGRES)))
  const text = functionsText(functions)
  if (isToWrite) writeFileSync(FUNCTIONS_FILE, text)
  assert.equal(readFileSync(FUNCTIONS_FILE, 'utf8'), text)
  const names = Object.keys(expectedObjects()).filter((name) => name.startsWith('function '))
  assert.deepEqual([...functions.keys()].map((name) => `function ${name}`).sort(), names.sort())
  const client = await connectFor(test, await newDatabase())
  await migrate(client)
  await client.query(text.replaceAll('create function', 'create or replace function'))
  assert.deepEqual(await objectsOf(client), expectedObjects())
})
