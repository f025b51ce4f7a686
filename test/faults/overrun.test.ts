// More requests than the queue may hold, while the writer is held up.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { post } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'

test('a full queue answers 503 with Retry-After before it waits, and empties without a loss', async (t) => {
  const setting = newSetting(t)
  const service = await setting.start({ QUEUE_MAX_REQUESTS: '5' })
  const sender = new Sender({ seed: seedOf(t) })
  const database = new DatabaseSync(setting.file)
  database.exec('begin immediate')
  const waiting = Array.from({ length: 30 }, () => sender.sendOne(service.url))
  const statuses: number[] = []
  for (const status of waiting) void status.then((known) => statuses.push(known))
  const body = toBytes(flatBody({ message_id: 'one-too-many' }))
  let refused = await post(service, body, signature(body))
  while (refused.status !== 503) refused = await post(service, body, signature(body))
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  database.exec('rollback')
  database.close()
  const all = await Promise.all(waiting)
  assert.deepEqual(new Set(all), new Set([200, 503]))
  assert.ok(all.filter((status) => status === 200).length >= 5)
  assert.equal(await sender.sendOne(service.url), 200)
  await service.stop()
  sender.sent.set('one-too-many', { sha256: '', verdict: 'unknown' })
  assert.deepEqual(anomalies(setting.file, sender.sent), [])
})

/** Thirty at once for a queue of five, while another process holds the lock. */
async function overrunWhileLocked(t: TestContext, sabotage?: Sabotage): Promise<string[]> {
  const setting = newSetting(t, sabotage === undefined ? {} : { sabotage })
  const service = await setting.start({ QUEUE_MAX_REQUESTS: '5' })
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  const database = new DatabaseSync(setting.file)
  database.exec('begin immediate')
  const waiting = Array.from({ length: 30 }, () => sender.sendOne(service.url))
  await Promise.race(waiting)
  database.exec('rollback')
  database.close()
  await Promise.all(waiting)
  await service.stop('SIGKILL')
  return anomalies(setting.file, sender.sent)
}

test('what a full queue refuses was never acknowledged', async (t) => {
  assert.deepEqual(await overrunWhileLocked(t), [])
})

test('the twin that acknowledges what it has no room for is caught', async (t) => {
  const found = await overrunWhileLocked(t, 'accepted overflow')
  assert.ok(
    found.some((anomaly) => anomaly.includes('is lost')),
    found.join('\n'),
  )
})

/** Far more connections than the queue has places, for OVERLOAD_S seconds. */
test('under far more load than the queue takes, every request is answered and none is lost', {
  timeout: 300_000,
}, async (t) => {
  const setting = newSetting(t)
  const service = await setting.start({ QUEUE_MAX_REQUESTS: '4' })
  const sender = new Sender({ seed: seedOf(t) })
  const end = performance.now() + Number(process.env['OVERLOAD_S'] ?? 3) * 1000
  const crowd = Array.from({ length: 4 }, () =>
    sender.sendUntil(service.url, () => performance.now() > end),
  )
  await Promise.all(crowd)
  assert.deepEqual([...sender.statuses.keys()].sort(), [200, 503])
  assert.equal(await sender.sendOne(service.url), 200)
  await service.stop()
  t.diagnostic(JSON.stringify(Object.fromEntries(sender.statuses)))
  assert.deepEqual(anomalies(setting.file, sender.sent), [])
})
