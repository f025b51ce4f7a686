// Another process holds the write lock of the database.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../support/until.ts'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'

/** Takes the lock; the result gives it back. */
function lock(file: string): () => void {
  const database = new DatabaseSync(file)
  database.exec('begin immediate')
  return () => {
    database.exec('rollback')
    database.close()
  }
}

/** Longer than a transaction waits for the lock, in any case; LOCKS_S=1,10,60 in seconds. */
const LOCKS_S = (process.env['LOCKS_S'] ?? '').split(',').filter(Boolean).map(Number)

async function sendWhileLocked(t: TestContext, sabotage?: Sabotage) {
  const setting = newSetting(t, sabotage === undefined ? {} : { sabotage })
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  const unlock = lock(setting.file)
  const during = await sender.sendOne(service.url)
  const live = (await fetch(`${service.url}/health/live`)).status
  const list = (await fetch(`${service.url}/messages`)).status
  unlock()
  await until('it stores again by itself', async () => (await sender.sendOne(service.url)) === 200)
  await service.stop()
  return { during, live, list, found: anomalies(setting.file, sender.sent) }
}

test('a lock that is soon given back costs a sender only time', async (t) => {
  const setting = newSetting(t)
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t) })
  await sender.sendOne(service.url)
  const unlock = lock(setting.file)
  const waiting = Array.from({ length: 20 }, () => sender.sendOne(service.url))
  // The service is alive, and by now at the lock.
  for (let i = 0; i < 10; i++) await fetch(`${service.url}/health/live`)
  unlock()
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set([200]))
  await service.stop()
  assert.deepEqual(anomalies(setting.file, sender.sent), [])
})

test('a lock that is kept is a 503: reads go on, and it stores again by itself', async (t) => {
  assert.deepEqual(await sendWhileLocked(t), { during: 503, live: 200, list: 200, found: [] })
})

test('the twin that takes a failed commit for a good one is caught', async (t) => {
  const { during, found } = await sendWhileLocked(t, 'ignored failure')
  assert.equal(during, 200)
  assert.ok(
    found.some((anomaly) => anomaly.includes('is lost')),
    found.join('\n'),
  )
})

for (const seconds of LOCKS_S) {
  test(`a lock held for ${seconds} s loses nothing, and every answer comes`, {
    timeout: 300_000,
  }, async (t) => {
    const setting = newSetting(t)
    const service = await setting.start()
    const sender = new Sender({ seed: seedOf(t) })
    await sender.sendOne(service.url)
    const unlock = lock(setting.file)
    const unlocked = delay(seconds * 1000).then(unlock)
    let over = false
    void unlocked.then(() => {
      over = true
    })
    await sender.sendUntil(service.url, () => over)
    await until(
      'it stores again by itself',
      async () => (await sender.sendOne(service.url)) === 200,
    )
    assert.equal(sender.statuses.has(0), false)
    await service.stop()
    assert.deepEqual(anomalies(setting.file, sender.sent), [])
  })
}
