// Fifty copies of one message in flight at once against two processes on one database.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { ENGINES, type Engine } from '../support/engines.ts'
import { post } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import type { Sent } from './sender.ts'
import { newSettingOn, type Sabotage } from './setting.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 10)
const COPIES = 50

async function sendCopies(engine: Engine, t: TestContext, rounds: number, sabotage?: Sabotage) {
  const setting = await newSettingOn(engine, t, sabotage)
  const services = [await setting.start(), await setting.start()]
  const sent = new Map<string, Sent>()
  const statuses = new Set<number>()
  for (let round = 0; round < rounds; round++) {
    const id = `copied-${round}`
    const body = toBytes(flatBody({ message_id: id }))
    const answers = await Promise.all(
      Array.from({ length: COPIES }, (_, i) => {
        const service = services[i % services.length]
        assert.ok(service)
        return post(service, body, signature(body))
      }),
    )
    for (const { status } of answers) statuses.add(status)
    sent.set(id, { sha256: createHash('sha256').update(body).digest('hex'), verdict: 'ok' })
  }
  let created = 0
  for (const service of services) {
    await service.stop()
    created += service.log.filter(({ result }) => result === 'created').length
  }
  return { found: await setting.anomalies(sent), statuses: [...statuses], created }
}

for (const engine of ENGINES) {
  test(`${engine.name}: 50 copies in flight at two processes: 50 times 200, one row, one "created"`, async (t) => {
    const { found, statuses, created } = await sendCopies(engine, t, ROUNDS)
    assert.deepEqual(found, [])
    assert.deepEqual(statuses, [200])
    assert.equal(created, ROUNDS)
  })

  test(`${engine.name}: the twin without a unique index is caught`, async (t) => {
    const { found } = await sendCopies(engine, t, 1, 'no unique index')
    assert.ok(
      found.some((anomaly) => anomaly.includes('is stored 50 times')),
      found.join('\n'),
    )
  })
}
