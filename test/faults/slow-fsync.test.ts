// A disk whose fsync takes long: commits share it, and what can't wait is told so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, seedOf } from './setting.ts'
import { injectIntoFsync, noTracing } from './tracing.ts'

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
    const tracing = await injectIntoFsync(service.pid, fault, `${setting.file}.strace`)
    const sending = sender.sendUntil(service.url, () => sender.acknowledged >= ENOUGH)
    assert.equal((await fetch(`${service.url}/health/live`)).status, 200)
    await sending
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    tracing.stop()
    await service.stop()
    const commits = Number(/^commit_batch_size_count (\d+)$/m.exec(metrics)?.[1])
    const stored = Number(/^commit_batch_size_sum (\d+)$/m.exec(metrics)?.[1])
    assert.ok(stored / commits > 2, `${stored} messages in ${commits} commits`)
    assert.deepEqual(anomalies(setting.file, sender.sent), [])
  })
}
