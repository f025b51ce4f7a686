// A disk whose fsync takes long: commits share it, and what can't wait is told so.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'
import { injectIntoFsync, isFlushing, noTracing } from './tracing.ts'

const DELAYS_MS = (process.env['FSYNC_DELAYS_MS'] ?? '200').split(',').map(Number)
const ENOUGH = 200

for (const delayMs of DELAYS_MS) {
  test(`with an fsync of ${delayMs} ms commits are shared, health answers, and nothing is lost`, {
    skip: noTracing,
    timeout: 600_000,
  }, async (t) => {
    const setting = newSetting(t)
    const service = await setting.start()
    const sender = new Sender({ seed: seedOf(t) })
    const fault = `delay_enter=${delayMs * 1000}`
    const alive: Promise<boolean>[] = []
    const tracing = await injectIntoFsync(service.pid, fault, `${setting.file}.strace`)
    let asked = 0
    await sender.sendUntil(service.url, () => {
      if (++asked % 10 === 0) alive.push(isAlive(service.url))
      return sender.acknowledged >= ENOUGH
    })
    assert.deepEqual(new Set(await Promise.all(alive)), new Set([true]))
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    await tracing.stop()
    await service.stop()
    const commits = Number(/^commit_batch_size_count (\d+)$/m.exec(metrics)?.[1])
    const stored = Number(/^commit_batch_size_sum (\d+)$/m.exec(metrics)?.[1])
    assert.match(readFileSync(`${setting.file}.strace`, 'utf8'), /\(DELAYED\)/)
    assert.equal(sender.statuses.has(0), false, 'every request was answered')
    assert.ok(stored / commits > 2, `${stored} messages in ${commits} commits`)
    assert.deepEqual(anomalies(setting.file, sender.sent), [])
  })
}

/** Whether the process answers, in a time that no fsync of these takes. */
async function isAlive(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(1500) })).ok
  } catch {
    return false
  }
}

/** Killed while acknowledgements still wait for an fsync that takes seconds. */
async function killedInFsync(t: TestContext, sabotage?: Sabotage): Promise<string[]> {
  const setting = newSetting(t, sabotage === undefined ? {} : { sabotage })
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  const tracing = await injectIntoFsync(
    service.pid,
    'delay_enter=7000000',
    `${setting.file}.strace`,
  )
  const waiting = Array.from({ length: 40 }, () => sender.sendOne(service.url))
  await until('an fsync is held up', () => isFlushing(service.pid))
  // By now the service has read most of them.
  for (let i = 0; i < 10; i++) await fetch(`${service.url}/health/live`)
  await service.stop('SIGKILL')
  await tracing.stop()
  await Promise.all(waiting)
  const log = readFileSync(`${setting.file}.strace`, 'utf8')
  assert.match(log, /f(data)?sync\(/)
  assert.doesNotMatch(log, /= 0/, 'an fsync was not held up')
  return anomalies(setting.file, sender.sent)
}

test('killed in an fsync that takes long, it has lost nothing it acknowledged', {
  skip: noTracing,
}, async (t) => {
  assert.deepEqual(await killedInFsync(t), [])
})

test('the twin that answers before the fsync is caught losing messages', {
  skip: noTracing,
}, async (t) => {
  const found = await killedInFsync(t, 'early answer')
  assertLossCaught(found)
})
