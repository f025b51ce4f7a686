// More requests than the queue may hold, while the writer is held up.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ENGINES, type Engine } from '../support/engines.ts'
import { post } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { Sender } from './sender.ts'
import { newSettingOn, type Sabotage, seedOf } from './setting.ts'

/** Thirty at once for a queue of five, while another process holds the lock. */
async function overrunWhileLocked(
  engine: Engine,
  t: TestContext,
  sabotage?: Sabotage,
): Promise<string[]> {
  const setting = await newSettingOn(engine, t, sabotage)
  const service = await setting.start({ QUEUE_MAX_REQUESTS: '5' })
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  const release = await setting.holdWriter()
  const waiting = Array.from({ length: 30 }, () => sender.sendOne(service.url))
  await Promise.race(waiting)
  await release()
  await Promise.all(waiting)
  await service.stop('SIGKILL')
  return setting.anomalies(sender.sent)
}

for (const engine of ENGINES) {
  test(`${engine.name}: a full queue answers 503 with Retry-After before it waits, and empties without a loss`, async (t) => {
    const setting = await newSettingOn(engine, t)
    const service = await setting.start({ QUEUE_MAX_REQUESTS: '5' })
    const sender = new Sender({ seed: seedOf(t) })
    const release = await setting.holdWriter()
    const waiting = Array.from({ length: 30 }, () => sender.sendOne(service.url))
    const statuses: number[] = []
    for (const status of waiting) void status.then((known) => statuses.push(known))
    const body = toBytes(flatBody({ message_id: 'one-too-many' }))
    let refused = await post(service, body, signature(body))
    while (refused.status !== 503) refused = await post(service, body, signature(body))
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    await release()
    const all = await Promise.all(waiting)
    assert.deepEqual(new Set(all), new Set([200, 503]))
    assert.ok(all.filter((status) => status === 200).length >= 5)
    assert.equal(await sender.sendOne(service.url), 200)
    await service.stop()
    sender.sent.set('one-too-many', { sha256: '', verdict: 'unknown' })
    assert.deepEqual(await setting.anomalies(sender.sent), [])
  })

  test(`${engine.name}: what a full queue refuses was never acknowledged`, async (t) => {
    assert.deepEqual(await overrunWhileLocked(engine, t), [])
  })

  test(`${engine.name}: the twin that acknowledges what it has no room for is caught`, async (t) => {
    const found = await overrunWhileLocked(engine, t, 'accepted overflow')
    assert.ok(
      found.some((anomaly) => anomaly.includes('is lost')),
      found.join('\n'),
    )
  })

  /** Far more connections than the queue has places, for OVERLOAD_S seconds. */
  test(`${engine.name}: under far more load than the queue takes, every request is answered and none is lost`, {
    timeout: 300_000,
  }, async (t) => {
    const setting = await newSettingOn(engine, t)
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
    assert.deepEqual(await setting.anomalies(sender.sent), [])
  })
}
