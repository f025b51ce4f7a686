// The service's clock is put forward and back under it, by hours, a day and a year, onto a leap day.
// What is stored and read depends on no step of it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { aMessage, intakeOf } from '../support/a-message.ts'
import type { LogEntry } from '../support/captured-log.ts'
import { newDatabase } from '../support/databases.ts'
import { ENGINES } from '../support/engines.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'
import { EventClient } from './event-client.ts'
import { isFoundReady } from './readiness.ts'
import { Sender } from './sender.ts'
import { sequenceAnomalies, storedSequence } from './sequence-checker.ts'
import { newSettingFor, newSettingOn, seedOf } from './setting.ts'
import { works } from './tracing.ts'

/** In words of libfaketime, and a day that only a leap year has. */
const STEPS = ['+0', '-3h', '+1d', '+400d', '@2028-02-29 23:59:58', '-400d', '+0'] as const
const MESSAGES_EACH = 100
const DAY_MS = 24 * 60 * 60 * 1000

const noFakeClock = works('faketime', '+1 day', 'true') ? false : 'faketime is missing'

/** A service with another clock; its timers run on. */
const OTHER_CLOCK = {
  LD_PRELOAD: '/usr/$LIB/faketime/libfaketime.so.1',
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
}

/** One that reads the time from a file. */
function clockOf(file: string): Record<string, string> {
  return { ...OTHER_CLOCK, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' }
}

for (const engine of ENGINES) {
  test(`${engine.name}: a clock that steps under the service loses and doubles nothing`, {
    skip: noFakeClock,
    timeout: 120_000,
  }, async (t) => {
    const setting = await newSettingOn(engine, t)
    const time = join(temporaryDirectory(t), 'time')
    writeFileSync(time, '+0')
    const service = await setting.start(clockOf(time))
    const sender = new Sender({ seed: seedOf(t) })
    const client = new EventClient({ urls: [service.url] })
    client.start()
    t.after(() => client.close())
    for (const step of STEPS) {
      writeFileSync(time, step)
      const enough = sender.sent.size + MESSAGES_EACH
      await sender.sendUntil(service.url, () => sender.sent.size > enough)
      assert.equal(await isFoundReady(service), true, step)
    }
    const stored = await storedSequence(setting.url)
    await until('the stream has everything', () => client.seen.length >= stored.length)
    await client.close()
    const years = new Set(service.log.map(({ ts }) => String(ts).slice(0, 4)))
    assert.ok(years.size >= 3 && years.has('2028'), `its clock stepped: ${[...years]}`)
    assert.deepEqual(sequenceAnomalies(stored, client.seen), [])
    assert.deepEqual([...sender.statuses.keys()], [200])
    await service.stop()
    assert.deepEqual(await setting.anomalies(sender.sent), [])
  })
}

test('PostgreSQL: a replica that starts with a clock ahead says so, and lets no body expire before its time', {
  skip: noFakeClock,
  timeout: 60_000,
}, async (t) => {
  const url = await newDatabase()
  const store = await openStoreFor(t, url)
  const client = await connectFor(t, url)
  await store.insert([{ ...intakeOf(aMessage()), receivedAt: Date.now() - 5 * DAY_MS }])

  const ahead = await newSettingFor(url, t).start({ ...OTHER_CLOCK, FAKETIME: '+40d' })
  await until('it has let expire what it thinks is old', async () => {
    const { rows } = await client.query('select expired_before > 0 as has_expired from store')
    return rows[0]?.has_expired === true
  })
  await store.insert([intakeOf(aMessage())])
  assert.notEqual(await store.rawBody(1), null, 'what was there')
  assert.notEqual(await store.rawBody(2), null, 'what arrives afterwards')
  let warning: LogEntry | undefined
  await until('it says so', () => {
    warning = ahead.log.find(({ msg }) => String(msg).includes('clock'))
    return warning !== undefined
  })
  assert.equal(warning?.['level'], 'warn')
  assert.equal(Math.round((Number(warning?.['secondsAhead']) * 1000) / DAY_MS), 40)
  await ahead.stop()
})
