// Several services on one PostgreSQL: each message once, counters right, and whoever follows the
// sequence on whichever of them sees each event once and in order.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Client } from 'pg'
import { postgresAnomalies } from '../faults/postgres-checker.ts'
import { Sender } from '../faults/sender.ts'
import { aMessage, intakeOf } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { ingest } from '../support/postgres-stores.ts'
import { type Service, startService, untilReady } from '../support/service.ts'
import { SECRET } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

const MESSAGES = 300

async function startReplicas(t: TestContext, url: string, count: number): Promise<Service[]> {
  const environment = { WEBHOOK_SECRET: SECRET, READ_ACCESS: 'open', DATABASE_URL: url }
  const cwd = temporaryDirectory(t)
  const start = () => startService(t, { cwd, environment })
  const replicas = await Promise.all(Array.from({ length: count }, start))
  await Promise.all(replicas.map(untilReady))
  return replicas
}

/** Follows the stream of a service from the beginning of the sequence. */
function follow(t: TestContext, { url }: Service) {
  const controller = new AbortController()
  const seen: { seq: number; key: string }[] = []
  const read = async () => {
    const { body } = await fetch(`${url}/events/stream?after=0`, { signal: controller.signal })
    let text = ''
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString()
      const whole = text.lastIndexOf('\n\n') + 1
      for (const [, data = ''] of text.slice(0, whole).matchAll(/^data: (.*)$/gm)) {
        seen.push(JSON.parse(data))
      }
      text = text.slice(whole)
    }
  }
  void read().catch(() => {})
  t.after(() => controller.abort())
  return seen
}

for (const count of [2, 3]) {
  describe(`${count} replicas on one PostgreSQL`, () => {
    it('store what comes to all of them at once exactly once, and stream it in one order', async (t) => {
      const url = await newDatabase()
      const replicas = await startReplicas(t, url, count)
      const readers = replicas.map((replica) => follow(t, replica))
      // One sender's record for all: most messages come to several replicas, many at the same time.
      const sender = new Sender({ seed: count, duplicates: 0.6 })
      await Promise.all(
        replicas.map((replica) =>
          sender.sendUntil(replica.url, () => sender.acknowledged >= MESSAGES),
        ),
      )
      assert.deepEqual([...sender.statuses.keys()], [200])
      for (const [i, seen] of readers.entries()) {
        await until(`stream ${i} has all`, () => seen.length >= sender.sent.size)
        assert.deepEqual(seen.map(({ key }) => key).sort(), [...sender.sent.keys()].sort())
        const seqs = seen.map(({ seq }) => seq)
        assert.deepEqual(
          seqs,
          seqs.toSorted((a, b) => a - b),
        )
      }
      for (const replica of replicas) {
        const stats = (await (await fetch(`${replica.url}/stats`)).json()) as {
          total_messages: number
        }
        assert.equal(stats.total_messages, sender.sent.size)
      }
      let created = 0
      for (const replica of replicas) {
        await replica.stop()
        created += replica.log.filter(({ result }) => result === 'created').length
      }
      assert.equal(created, sender.sent.size)
      assert.deepEqual(await postgresAnomalies(url, sender.sent), [])
    })
  })
}

describe('the wake-up between replicas', () => {
  it('is only a wake-up: what nobody was notified of is streamed all the same', async (t) => {
    const url = await newDatabase()
    const [replica] = await startReplicas(t, url, 1)
    assert.ok(replica)
    const seen = follow(t, replica)
    const sender = new Sender({ seed: 1, duplicates: 0 })
    assert.equal(await sender.sendOne(replica.url), 200)
    // The stream has caught up: from now on it reads only when it is woken, or polls.
    await until('the first is streamed', () => seen.length === 1)
    const client = new Client({ connectionString: url })
    await client.connect()
    await ingest(client, [intakeOf(aMessage({ messageId: 'unannounced' }))])
    await client.end()
    await until('it is streamed', () => seen.some(({ key }) => key === 'unannounced'))
  })
})
