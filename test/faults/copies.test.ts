// Fifty copies of one message in flight at once against two processes on one database.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { ENGINES, type Engine } from '../support/engines.ts'
import { post, type Service } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import type { Sent } from './sender.ts'
import { newSettingOn, type Sabotage } from './setting.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 10)
const COPIES = 50
/** Copies of a round that are refused are sent again so many times; each time takes seconds. */
const TRIES = 5

async function sendCopies(engine: Engine, t: TestContext, rounds: number, sabotage?: Sabotage) {
  const setting = await newSettingOn(engine, t, sabotage)
  const services = [await setting.start(), await setting.start()]
  const sent = new Map<string, Sent>()
  const statuses = new Set<number>()
  for (let round = 0; round < rounds; round++) {
    const id = `copied-${round}`
    const body = toBytes(flatBody({ message_id: id }))
    let copies = Array.from({ length: COPIES }, (_, i) => services[i % services.length])
    for (let attempt = 0; attempt < TRIES && copies.length > 0; attempt++) {
      const answers = await Promise.all(copies.map((service) => sendTo(service, body)))
      for (const status of answers) statuses.add(status)
      if (attempt === 0) assert.ok(answers.includes(200), `${id} is stored`)
      copies = copies.filter((_, i) => answers[i] === 503)
    }
    assert.deepEqual(copies, [], `every copy of ${id} is taken in the end`)
    sent.set(id, { sha256: createHash('sha256').update(body).digest('hex'), verdict: 'ok' })
  }
  let created = 0
  for (const service of services) {
    await service.stop()
    created += service.log.filter(({ result }) => result === 'created').length
  }
  return { found: await setting.anomalies(sent), statuses: [...statuses], created }
}

async function sendTo(service: Service | undefined, body: Buffer): Promise<number> {
  assert.ok(service)
  return (await post(service, body, signature(body))).status
}

/** One process refuses where the other one has SQLite's lock for long, on a machine that stands still. */
function mayAnswer(engine: Engine): readonly number[] {
  return engine.name === 'SQLite' ? [200, 503] : [200]
}

for (const engine of ENGINES) {
  test(`${engine.name}: 50 copies in flight at two processes: each is answered 200, one row, one "created"`, async (t) => {
    const { found, statuses, created } = await sendCopies(engine, t, ROUNDS)
    assert.deepEqual(found, [])
    assert.deepEqual(new Set([...statuses, ...mayAnswer(engine)]), new Set(mayAnswer(engine)))
    assert.equal(created, ROUNDS)
  })

  test(`${engine.name}: the twin without a unique index is caught`, async (t) => {
    const { found } = await sendCopies(engine, t, 1, 'no unique index')
    assert.ok(
      found.some((anomaly) => / is stored \d+ times/.test(anomaly)),
      found.join('\n'),
    )
  })
}
