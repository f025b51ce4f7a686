// A running service whose database was taken on by a newer version that it is too old for.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { newDatabase } from '../support/databases.ts'
import { startOpenService } from '../support/open-service.ts'
import { connectFor } from '../support/postgres-stores.ts'
import { post, type Service, untilReady } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)
const NEXT = (MIGRATIONS.at(-1)?.version ?? 0) + 1
const DROPPING = 'drop function ingest_1 cascade; drop function settled_seq_1'

async function send(service: Service, message_id: string): Promise<Response> {
  const body = toBytes(flatBody({ message_id }))
  return await post(service, body, signature(body))
}

/** A service that has stored a message, and a connection to its database. */
async function startOn(t: TestContext) {
  const url = await newDatabase()
  const environment = { DATABASE_URL: url }
  const service = await startOpenService(t, { cwd: temporaryDirectory(t), environment })
  await untilReady(service)
  assert.equal((await send(service, 'before')).status, 200)
  return { service, client: await connectFor(t, url) }
}

test('a replica that is too old for the schema answers 503 where it misses something, and is not ready', async (t) => {
  const { service, client } = await startOn(t)
  const next = { version: NEXT, oldestReplica: NEXT, sql: DROPPING }
  await migrate(client, [...MIGRATIONS, next])
  const answers = [await send(service, 'after'), await fetch(`${service.url}/events`)]
  for (const answer of answers) {
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
  }
  assert.equal((await fetch(`${service.url}/health/ready`)).status, 503)
  assert.equal((await fetch(`${service.url}/health/live`)).status, 200)
  // What still works goes on until the new version has taken over.
  assert.equal((await fetch(`${service.url}/messages`)).status, 200)
  await service.stop()
  assert.match(service.stdout, /SchemaMismatchError/)
  assert.doesNotMatch(service.stdout, /unexpected error/)
})

test('without a newer schema the same is a fault: 500', async (t) => {
  const { service, client } = await startOn(t)
  await client.query(DROPPING)
  assert.equal((await send(service, 'after')).status, 500)
  assert.equal((await fetch(`${service.url}/events`)).status, 500)
  await service.stop()
  assert.match(service.stdout, /unexpected error/)
})
