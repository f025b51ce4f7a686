// SIGKILL at random moments under load. CRASHES=300 for a longer run.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ENGINES, type Engine } from '../support/engines.ts'
import { Sender } from './sender.ts'
import { newSettingOn, type Sabotage, seedOf } from './setting.ts'

const CRASHES = Number(process.env['CRASHES'] ?? 20)
/** Answers between two kills: from none to this many. */
const MOST_ANSWERS = 250

async function killRepeatedly(
  engine: Engine,
  t: TestContext,
  crashes: number,
  sabotage?: Sabotage,
) {
  const seed = seedOf(t)
  const setting = await newSettingOn(engine, t, sabotage)
  const sender = new Sender({ seed })
  for (let crash = 0; crash < crashes; crash++) {
    const service = await setting.start()
    let dead = false
    const kill = () => {
      dead = true
      service.signal('SIGKILL')
    }
    const limit = sender.acknowledged + ((seed + crash * 7919) % MOST_ANSWERS)
    const sending = sender.sendUntil(service.url, () => {
      if (!dead && sender.acknowledged >= limit) kill()
      return dead
    })
    await sending
    assert.deepEqual(await service.ended, { code: null, signal: 'SIGKILL' })
  }
  return { found: await setting.anomalies(sender.sent), sender }
}

for (const engine of ENGINES) {
  test(`${engine.name}: nothing acknowledged is lost or doubled when the process is killed ${CRASHES} times under load`, {
    timeout: 3_600_000,
  }, async (t) => {
    const { found, sender } = await killRepeatedly(engine, t, CRASHES)
    t.diagnostic(
      `${sender.acknowledged} acknowledged of ${sender.sent.size} sent, ${CRASHES} kills`,
    )
    assert.deepEqual(found, [])
    assert.ok(sender.acknowledged > 0)
    assert.ok(sender.statuses.has(0), 'a kill has cut off requests in flight')
  })

  test(`${engine.name}: the twin that answers before the commit is caught losing messages`, async (t) => {
    const { found } = await killRepeatedly(engine, t, 5, 'early answer')
    assert.ok(
      found.some((anomaly) => anomaly.includes('is lost')),
      found.join('\n'),
    )
  })

  test(`${engine.name}: the twin without a unique index is caught storing messages twice`, async (t) => {
    const { found } = await killRepeatedly(engine, t, 1, 'no unique index')
    assert.ok(
      found.some((anomaly) => / is stored \d+ times/.test(anomaly)),
      found.join('\n'),
    )
  })
}
