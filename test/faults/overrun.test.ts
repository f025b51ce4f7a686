// More requests than the queue may hold, while the writer is held up.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ENGINES, type Engine } from '../support/engines.ts'
import { post } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { OpenLoop } from './open-loop.ts'
import { Sender, type Sent } from './sender.ts'
import { type EngineSetting, newSettingOn, type Sabotage, seedOf } from './setting.ts'

const OVERLOAD_S = Number(process.env['OVERLOAD_S'] ?? 3)
const OVERLOAD = 3
const CAPACITY_S = 1.5

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
    assertLossCaught(found)
  })

  test(`${engine.name}: three times the load it can take for ${OVERLOAD_S} s is answered without a loss, and then all is normal`, {
    timeout: 300_000,
  }, async (t) => {
    const setting = await newSettingOn(engine, t)
    const seed = seedOf(t)
    const sent = new Map<string, Sent>()
    const refused = await overload(t, setting, { seed, environment: {}, sent })
    // A sender too slow for the queue: one that it fills on any machine.
    if (!refused) {
      const environment = { QUEUE_MAX_REQUESTS: '200' }
      assert.ok(await overload(t, setting, { seed: seed + 1, environment, sent }))
    }
    assert.deepEqual(await setting.anomalies(sent), [])
  })
}

type Overload = {
  readonly seed: number
  readonly environment: Readonly<Record<string, string>>
  /** Gets what was sent. */
  readonly sent: Map<string, Sent>
}

/** Overruns a service; resolves with whether it had to refuse anything. */
async function overload(
  t: TestContext,
  setting: EngineSetting,
  { seed, environment, sent }: Overload,
): Promise<boolean> {
  const service = await setting.start(environment)
  const load = new OpenLoop({ port: service.port, seed })
  t.after(() => load.close())
  // A service that is cold takes less than half of what it can.
  await load.capacity(CAPACITY_S)
  const capacity = await load.capacity(CAPACITY_S)
  assert.deepEqual([...load.statuses.keys()], [200])
  await load.offer({ rate: OVERLOAD * capacity, seconds: OVERLOAD_S })
  reportLoad(t, load, capacity)
  const statuses = [...load.statuses.keys()]
  assert.deepEqual(new Set([200, 503, ...statuses]), new Set([200, 503]))
  assert.equal(load.withoutRetryAfter, 0)
  const sender = new Sender({ seed })
  await until('a message is stored', async () => (await sender.sendOne(service.url)) === 200)
  await service.stop()
  for (const [id, record] of [...load.sent, ...sender.sent]) sent.set(id, record)
  return load.statuses.has(503)
}

function reportLoad(t: TestContext, load: OpenLoop, capacity: number): void {
  const answers = JSON.stringify(Object.fromEntries(load.statuses))
  t.diagnostic(
    `capacity ${Math.round(capacity)}/s, ${OVERLOAD} times that offered for ${OVERLOAD_S} s: ` +
      `answers ${answers}, ${load.notSent} not sent, p99 of 200 ${load.p99Ms} ms`,
  )
}
