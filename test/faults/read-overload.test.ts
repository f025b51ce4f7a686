// Queries that hold every connection for reading on PostgreSQL, while more and more of them come.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { newDatabase } from '../support/databases.ts'
import { connectFor } from '../support/postgres-stores.ts'
import type { Service } from '../support/service.ts'
import { until } from '../support/until.ts'
import { EventClient } from './event-client.ts'
import { isFoundReady } from './readiness.ts'
import { Sender } from './sender.ts'
import { sequenceAnomalies, storedSequence } from './sequence-checker.ts'
import { newSettingFor, seedOf } from './setting.ts'

/** What a service with DATABASE_POOL_SIZE=3 lets wait for its one connection for reading. */
const WAITING = 25
const QUERIES = 60
/** Messages that are stored meanwhile. */
const MESSAGES = 50

type Answer = { readonly status: number; readonly retryAfter: number; readonly text: string }

const findsNoRoom = ({ text }: Answer) => text.includes('Too many queries are waiting')

/** Asks for what is locked. */
async function query({ url }: Service): Promise<Answer> {
  const answer = await fetch(`${url}/conversations`)
  const { status, headers } = answer
  return { status, retryAfter: Number(headers.get('retry-after')), text: await answer.text() }
}

/** A service, and its table of who was active locked: storing does without, reading does not. */
async function startBlocked(t: TestContext, poolSize: number) {
  const url = await newDatabase()
  const service = await newSettingFor(url, t).start({ DATABASE_POOL_SIZE: String(poolSize) })
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  const client = new EventClient({ urls: [service.url] })
  client.start()
  t.after(() => client.close())
  await until('the stream has caught up', () => client.seen.length === 1)
  const holder = await connectFor(t, url)
  await holder.query('begin; lock table activity in access exclusive mode')
  return { url, service, sender, client, release: () => holder.query('rollback') }
}

/** So many queries at once; `answers` has those that have been answered so far. */
function ask(service: Service, count: number) {
  const answers: Answer[] = []
  const asking = Array.from({ length: count }, async () => {
    const answer = await query(service)
    answers.push(answer)
    return answer
  })
  return { answers, all: Promise.all(asking) }
}

test('queries that find no room to wait are told 503 at once, storing and readiness go on, and it heals', async (t) => {
  const { url, service, sender, client, release } = await startBlocked(t, 3)
  const { answers, all } = ask(service, QUERIES)
  await until('the rest is refused', () => answers.length >= QUERIES - WAITING - 1)
  assert.ok(answers.every(findsNoRoom), 'before any has waited for too long')
  const statuses = new Set<number>()
  for (let sent = 0; sent < MESSAGES; sent++) {
    statuses.add(await sender.sendOne(service.url))
    assert.equal(await isFoundReady(service), true)
  }
  assert.deepEqual(statuses, new Set([200]))
  await release()
  for (const { status, retryAfter } of await all) {
    if (status === 200) continue
    assert.equal(status, 503)
    assert.ok(retryAfter > 0)
  }
  await until('queries are answered', async () => (await query(service)).status === 200)
  await until('the stream has all', () => client.seen.length >= MESSAGES + 1)
  assert.deepEqual(sequenceAnomalies(await storedSequence(url), client.seen), [])
  assert.equal(client.streams, 1, 'the stream has gone on')
})

test('with room for all of them to wait none is refused', async (t) => {
  const { service, release } = await startBlocked(t, 5)
  const { all } = ask(service, QUERIES)
  assert.equal(await isFoundReady(service), true)
  await release()
  assert.ok(!(await all).some(findsNoRoom))
})

test('a query that waits for too long is told 503 too, while the lock is still held', async (t) => {
  const { service, sender, release } = await startBlocked(t, 3)
  const { status, retryAfter } = await query(service)
  assert.equal(status, 503)
  assert.ok(retryAfter > 0)
  assert.equal(await sender.sendOne(service.url), 200)
  await release()
  await until('queries are answered', async () => (await query(service)).status === 200)
})
