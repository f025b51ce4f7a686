// More requests than the queue may hold, while the writer is held up.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ENGINES, type Engine } from '../support/engines.ts'
import { heldBriefly } from '../support/held-briefly.ts'
import { post } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { OpenLoop } from './open-loop.ts'
import { Sender } from './sender.ts'
import { newSettingOn, type Sabotage, seedOf } from './setting.ts'
import { SLOW_ENGINES } from './slow-storing.ts'

const OVERLOAD_S = Number(process.env['OVERLOAD_S'] ?? 3)
const OVERLOAD = 3
const CAPACITY_S = 1.5
/** What each commit takes: long enough that one process can send three times what is stored. */
const COMMIT_MS = 100
const QUEUE = 100
/** Enough for all that wait in the queue, for what is being refused, and for a sender that is late. */
const CONNECTIONS = 500

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

/** One more than fits, beside the thirty, and what becomes of all once the lock is given back. */
async function fillWhileLocked(engine: Engine, t: TestContext) {
  const setting = await newSettingOn(engine, t)
  const service = await setting.start({ QUEUE_MAX_REQUESTS: '5' })
  const sender = new Sender({ seed: seedOf(t) })
  const release = await setting.holdWriter()
  const held = performance.now()
  const waiting = Array.from({ length: 30 }, () => sender.sendOne(service.url))
  const body = toBytes(flatBody({ message_id: 'one-too-many' }))
  let refused = await post(service, body, signature(body))
  while (refused.status !== 503) refused = await post(service, body, signature(body))
  await release()
  const heldMs = performance.now() - held
  const statuses = await Promise.all(waiting)
  const later = await sender.sendOne(service.url)
  await service.stop()
  sender.sent.set('one-too-many', { sha256: '', verdict: 'unknown' })
  return { heldMs, refused, statuses, later, found: await setting.anomalies(sender.sent) }
}

for (const engine of ENGINES) {
  test(`${engine.name}: a full queue answers 503 with Retry-After before it waits, and empties without a loss`, async (t) => {
    const scene = () => fillWhileLocked(engine, t)
    const { refused, statuses, later, found } = await heldBriefly(scene)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.deepEqual(new Set(statuses), new Set([200, 503]))
    assert.ok(statuses.filter((status) => status === 200).length >= 5)
    assert.equal(later, 200)
    assert.deepEqual(found, [])
  })

  test(`${engine.name}: what a full queue refuses was never acknowledged`, async (t) => {
    assert.deepEqual(await overrunWhileLocked(engine, t), [])
  })

  test(`${engine.name}: the twin that acknowledges what it has no room for is caught`, async (t) => {
    const found = await overrunWhileLocked(engine, t, 'accepted overflow')
    assertLossCaught(found)
  })
}

for (const engine of SLOW_ENGINES) {
  test(`${engine.name}: three times the load it can take for ${OVERLOAD_S} s is answered without a loss, and then all is normal`, {
    skip: engine.skip,
    timeout: 300_000,
  }, async (t) => {
    const setting = await engine.newSetting(t, COMMIT_MS)
    const service = await setting.start({ QUEUE_MAX_REQUESTS: String(QUEUE) })
    const seed = seedOf(t)
    const load = await OpenLoop.open(service.port, seed, CONNECTIONS)
    t.after(() => load.close())
    // A service that is cold takes less than half of what it can.
    await load.capacity(CAPACITY_S, QUEUE)
    const capacity = await load.capacity(CAPACITY_S, QUEUE)
    assert.deepEqual([...load.statuses.keys()], [200])
    await load.offer({ rate: OVERLOAD * capacity, seconds: OVERLOAD_S })
    reportLoad(t, load, capacity)
    assert.deepEqual(new Set(load.statuses.keys()), new Set([200, 503]))
    assert.equal(load.withoutRetryAfter, 0)
    const sender = new Sender({ seed })
    const over = performance.now()
    await until('a message is stored', async () => (await sender.sendOne(service.url)) === 200)
    t.diagnostic(`stored again ${Math.round(performance.now() - over)} ms later`)
    await service.stop()
    assert.deepEqual(await setting.anomalies(new Map([...load.sent, ...sender.sent])), [])
  })
}

function reportLoad(t: TestContext, load: OpenLoop, capacity: number): void {
  const { statuses, lateMs, answeredMs } = load
  t.diagnostic(
    `capacity ${Math.round(capacity)}/s, ${OVERLOAD} times that offered for ${OVERLOAD_S} s: ` +
      `answers ${JSON.stringify(Object.fromEntries(statuses))}; p99 of sending late ` +
      `${p99(lateMs)} ms, from then on to a 200 ${p99(answeredMs.get(200))} ms, ` +
      `to a 503 ${p99(answeredMs.get(503))} ms`,
  )
}

function p99(ms: readonly number[] = []): number {
  const sorted = Float64Array.from(ms).sort()
  return Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0)
}
