// An fsync that fails. SQLite would go on with the next commit as if nothing had happened, although
// the system may have dropped what was not written; so the service must end and recover.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../support/until.ts'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'

const CALLS = (process.env['FSYNC_CALLS'] ?? '1,2,5').split(',').map(Number)
const skip = canTrace() ? false : 'strace is missing or may not trace here'

function canTrace(): boolean {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Makes the running process's fsyncs fail, from the n-th call from now on. */
async function failFsyncs(pid: number, call: number, log: string): Promise<() => void> {
  const calls = 'fsync,fdatasync'
  const inject = `inject=${calls}:error=EIO:when=${call}+`
  const args = ['-f', '-p', String(pid), '-o', log, '-e', `trace=${calls}`, '-e', inject]
  const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  tracer.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await until('strace is attached', () => said.includes('attached'))
  return () => void tracer.kill('SIGINT')
}

async function sendWhileFailing(t: TestContext, call: number, sabotage?: Sabotage) {
  const setting = newSetting(t, sabotage === undefined ? {} : { sabotage })
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  const log = join(setting.file, '..', 'strace.log')
  const detach = await failFsyncs(service.pid, call, log)
  let ended = false
  void service.ended.then(() => {
    ended = true
  })
  const enough = sender.sent.size + 300
  await sender.sendUntil(service.url, () => ended || sender.sent.size > enough)
  const injected = existsSync(log) && readFileSync(log, 'utf8').includes('(INJECTED)')
  if (sabotage !== undefined) await service.stop('SIGKILL')
  const { code } = await service.ended
  detach()
  return { setting, sender, code, injected }
}

for (const call of CALLS) {
  test(`after a failed fsync (the ${call}. call and on) it answers no 200, ends, and recovers`, {
    skip,
  }, async (t) => {
    const { setting, sender, code, injected } = await sendWhileFailing(t, call)
    assert.ok(injected, 'an fsync was made to fail')
    assert.equal(code, 1)
    assert.ok((sender.statuses.get(503) ?? 0) + (sender.statuses.get(0) ?? 0) > 0)
    const recovered = await setting.start()
    assert.equal(await sender.sendOne(recovered.url), 200)
    await recovered.stop()
    assert.deepEqual(anomalies(setting.file, sender.sent), [])
  })
}

test('the twin that takes a failed commit for a good one is caught', { skip }, async (t) => {
  const { setting, sender, injected } = await sendWhileFailing(t, 2, 'ignored failure')
  assert.ok(injected, 'an fsync was made to fail')
  const found = anomalies(setting.file, sender.sent)
  assert.ok(
    found.some((anomaly) => anomaly.includes('is lost')),
    found.join('\n'),
  )
})
