// Another process holds the write lock of the database.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { heldBriefly } from '../support/held-briefly.ts'
import { until } from '../support/until.ts'
import { holdWriteLock } from '../support/write-lock.ts'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'

/** How long a transaction waits for the lock, in seconds. */
const WAITED_S = 2
/** Longer than a transaction waits for the lock, in any case; LOCKS_S=1,10,60 in seconds. */
const LOCKS_S = (process.env['LOCKS_S'] ?? '').split(',').filter(Boolean).map(Number)

async function sendWhileLocked(t: TestContext, sabotage?: Sabotage) {
  const setting = newSetting(t, sabotage === undefined ? {} : { sabotage })
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  const unlock = holdWriteLock(setting.file)
  const during = await sender.sendOne(service.url)
  const live = (await fetch(`${service.url}/health/live`)).status
  const list = (await fetch(`${service.url}/messages`)).status
  const ready = (await fetch(`${service.url}/health/ready`)).status
  unlock()
  await until('it stores again by itself', async () => (await sender.sendOne(service.url)) === 200)
  await service.stop()
  return { during, live, list, ready, found: anomalies(setting.file, sender.sent) }
}

/** Twenty messages while the lock is held for a moment. */
async function sendWhileBrieflyLocked(t: TestContext) {
  const setting = newSetting(t)
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t) })
  await sender.sendOne(service.url)
  const unlock = holdWriteLock(setting.file)
  const held = performance.now()
  const waiting = Array.from({ length: 20 }, () => sender.sendOne(service.url))
  // The service is alive, and by now at the lock.
  for (let i = 0; i < 10; i++) await fetch(`${service.url}/health/live`)
  unlock()
  const heldMs = performance.now() - held
  const statuses = new Set(await Promise.all(waiting))
  await service.stop()
  return { heldMs, statuses, found: anomalies(setting.file, sender.sent) }
}

test('a lock that is soon given back costs a sender only time', async (t) => {
  const { statuses, found } = await heldBriefly(() => sendWhileBrieflyLocked(t))
  assert.deepEqual(statuses, new Set([200]))
  assert.deepEqual(found, [])
})

test('a lock that is kept is a 503: reads go on, and it stores again by itself', async (t) => {
  assert.deepEqual(await sendWhileLocked(t), {
    during: 503,
    live: 200,
    list: 200,
    ready: 503,
    found: [],
  })
})

test('the twin that takes a failed commit for a good one is caught', async (t) => {
  const { during, found } = await sendWhileLocked(t, 'ignored failure')
  assert.equal(during, 200)
  assertLossCaught(found)
})

for (const seconds of LOCKS_S) {
  test(`a lock held for ${seconds} s loses nothing, and every answer comes`, {
    timeout: 300_000,
  }, async (t) => {
    const setting = newSetting(t)
    const service = await setting.start()
    const sender = new Sender({ seed: seedOf(t) })
    await sender.sendOne(service.url)
    const unlock = holdWriteLock(setting.file)
    const unlocked = delay(seconds * 1000).then(unlock)
    const alive: Promise<Response>[] = []
    let over = false
    void unlocked.then(() => {
      over = true
    })
    let answered = 0
    await sender.sendUntil(service.url, () => {
      if (!over && ++answered % 20 === 0) alive.push(fetch(`${service.url}/health/live`))
      return over
    })
    for (const { status } of await Promise.all(alive)) assert.equal(status, 200)
    await until(
      'it stores again by itself',
      async () => (await sender.sendOne(service.url)) === 200,
    )
    assert.equal(sender.statuses.has(0), false)
    assert.equal(sender.statuses.has(503), seconds > WAITED_S, 'what waits for too long is told so')
    await service.stop()
    assert.deepEqual(anomalies(setting.file, sender.sent), [])
  })
}
