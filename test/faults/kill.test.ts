// SIGKILL at random moments under load. CRASHES=300 for a longer run.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ENGINES, type Engine } from '../support/engines.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { Sender } from './sender.ts'
import { chanceOf, type EngineSetting, newSettingOn, type Sabotage, seedOf } from './setting.ts'

const CRASHES = Number(process.env['CRASHES'] ?? 20)
/** The longest that a service is left alone under load, and that a process is that starts, in ms. */
const LONGEST_LIFE_MS = 800
const LONGEST_START_MS = 600
/** One process in so many is killed while it starts and recovers. */
const STARTING = 5

type Killing = {
  readonly crashes: number
  readonly sabotage?: Sabotage
  /** Answers of each service before which it is left alone. */
  readonly leastAnswers?: number
}

async function killRepeatedly(
  engine: Engine,
  t: TestContext,
  { crashes, sabotage, leastAnswers = 0 }: Killing,
) {
  const seed = seedOf(t)
  const setting = await newSettingOn(engine, t, sabotage)
  const sender = new Sender({ seed })
  for (let crash = 0; crash < crashes; crash++) {
    const chance = chanceOf(seed, crash)
    if (crash % STARTING === STARTING - 1) {
      await killWhileStarting(setting, chance * LONGEST_START_MS)
    } else {
      await killUnderLoad(setting, sender, { afterMs: chance * LONGEST_LIFE_MS, leastAnswers })
    }
  }
  return { found: await setting.anomalies(sender.sent), sender }
}

async function killWhileStarting(setting: EngineSetting, afterMs: number): Promise<void> {
  const starting = setting.launch()
  await delay(afterMs)
  assert.deepEqual(await starting.stop('SIGKILL'), { code: null, signal: 'SIGKILL' })
}

/** By a clock of its own, and not when an answer comes: also in the midst of a commit. */
async function killUnderLoad(
  setting: EngineSetting,
  sender: Sender,
  { afterMs, leastAnswers }: { afterMs: number; leastAnswers: number },
): Promise<void> {
  const service = await setting.start()
  const least = sender.acknowledged + leastAnswers
  let dead = false
  const killing = delay(afterMs).then(async () => {
    await until('it has answered enough', () => sender.acknowledged >= least)
    dead = true
    service.signal('SIGKILL')
  })
  await sender.sendUntil(service.url, () => dead)
  await killing
  assert.deepEqual(await service.ended, { code: null, signal: 'SIGKILL' })
}

for (const engine of ENGINES) {
  test(`${engine.name}: nothing acknowledged is lost or doubled when the process is killed ${CRASHES} times under load`, {
    timeout: 3_600_000,
  }, async (t) => {
    const { found, sender } = await killRepeatedly(engine, t, { crashes: CRASHES })
    t.diagnostic(
      `${sender.acknowledged} acknowledged of ${sender.sent.size} sent, ${CRASHES} kills`,
    )
    assert.deepEqual(found, [])
    assert.ok(sender.acknowledged > 0)
    assert.ok(sender.statuses.has(0), 'a kill has cut off requests in flight')
  })

  test(`${engine.name}: the twin that answers before the commit is caught losing messages`, async (t) => {
    const { found } = await killRepeatedly(engine, t, {
      crashes: 4,
      sabotage: 'early answer',
      leastAnswers: 100,
    })
    assertLossCaught(found)
  })

  test(`${engine.name}: the twin without a unique index is caught storing messages twice`, async (t) => {
    const { found } = await killRepeatedly(engine, t, {
      crashes: 1,
      sabotage: 'no unique index',
      leastAnswers: 100,
    })
    assert.ok(
      found.some((anomaly) => / is stored \d+ times/.test(anomaly)),
      found.join('\n'),
    )
  })
}
