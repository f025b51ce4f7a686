// SIGTERM at random moments under load. SHUTDOWNS=100 for a longer run.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ENGINES, type Engine } from '../support/engines.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { EventClient } from './event-client.ts'
import { Sender } from './sender.ts'
import { sequenceAnomalies, storedSequence } from './sequence-checker.ts'
import { chanceOf, newSettingOn, type Sabotage, seedOf } from './setting.ts'

const SHUTDOWNS = Number(process.env['SHUTDOWNS'] ?? 4)
/** The longest that a service is left alone under load, in ms. */
const LONGEST_LIFE_MS = 400
/** What each service has answered at least. */
const LEAST_ANSWERS = 50

/** Ends one service after the other under load, followed by a stream that comes again each time. */
async function shutDownRepeatedly(
  engine: Engine,
  t: TestContext,
  { shutdowns, sabotage }: { shutdowns: number; sabotage?: Sabotage },
) {
  const seed = seedOf(t)
  const setting = await newSettingOn(engine, t, sabotage)
  const sender = new Sender({ seed })
  const urls: string[] = []
  const client = new EventClient({ urls, pauseMs: () => 5 })
  t.after(() => client.close())
  for (let shutdown = 0; shutdown < shutdowns; shutdown++) {
    const service = await setting.start()
    urls.splice(0, 1, service.url)
    if (shutdown === 0) client.start()
    const least = sender.acknowledged + LEAST_ANSWERS
    let isTold = false
    const telling = delay(chanceOf(seed, shutdown) * LONGEST_LIFE_MS).then(async () => {
      await until(
        'it has answered enough and has a stream',
        () => sender.acknowledged >= least && client.streams > shutdown,
      )
      isTold = true
      service.signal('SIGTERM')
    })
    await sender.sendUntil(service.url, () => isTold)
    await telling
    assert.deepEqual(await service.ended, { code: 0, signal: null })
  }
  return { setting, sender, client, urls }
}

for (const engine of ENGINES) {
  test(`${engine.name}: ${SHUTDOWNS} services told to end under load answer what they took and lose nothing`, {
    timeout: 3_600_000,
  }, async (t) => {
    const ended = await shutDownRepeatedly(engine, t, { shutdowns: SHUTDOWNS })
    const { setting, sender, client, urls } = ended
    const service = await setting.start()
    urls.splice(0, 1, service.url)
    const stored = await storedSequence(setting.url)
    await until(
      'the stream has come again each time and has everything',
      () => client.streams > SHUTDOWNS && client.seen.length >= stored.length,
    )
    await client.close()
    assert.deepEqual(sequenceAnomalies(stored, client.seen), [])
    await service.stop()
    t.diagnostic(`${sender.acknowledged} acknowledged, ${SHUTDOWNS} services told to end`)
    const { statuses } = sender
    assert.deepEqual(new Set([...statuses.keys(), 0]), new Set([200, 0]))
    const unanswered = stored.filter(({ key }) => sender.sent.get(key ?? '')?.verdict !== 'ok')
    assert.deepEqual(unanswered, [], 'what was taken was answered')
    assert.deepEqual(await setting.anomalies(sender.sent), [])
  })

  test(`${engine.name}: the twin that answers before the commit and ends at once is caught`, async (t) => {
    const { setting, sender } = await shutDownRepeatedly(engine, t, {
      shutdowns: 3,
      sabotage: 'early answer',
    })
    assertLossCaught(await setting.anomalies(sender.sent))
  })
}
