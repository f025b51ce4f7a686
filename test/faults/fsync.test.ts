// An fsync that fails. SQLite would go on with the next commit as if nothing had happened, although
// the system may have dropped what was not written; so the service must end and recover.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { anomalies } from './checker.ts'
import { assertFailStop } from './fail-stop.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'
import { injectIntoFsync, noTracing } from './tracing.ts'

const CALLS = (process.env['FSYNC_CALLS'] ?? '1,2,5').split(',').map(Number)
/** Messages that are sent at most while it fails. */
const MESSAGES = 300
/** So many that the log is copied into the database meanwhile. */
const MESSAGES_OF_A_LONG_LOG = 4000

type Failing = {
  /** From which call on it fails. */
  readonly call: number
  readonly sabotage?: Sabotage
  readonly calls?: string
  readonly messages?: number
}

async function sendWhileFailing(
  t: TestContext,
  { call, sabotage, calls, messages = MESSAGES }: Failing,
) {
  const setting = newSetting(t, sabotage === undefined ? {} : { sabotage })
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  const fault = `error=EIO:when=${call}+`
  const tracing = await injectIntoFsync(service.pid, fault, `${setting.file}.strace`, calls)
  let ended = false
  void service.ended.then(() => {
    ended = true
  })
  const enough = sender.sent.size + messages
  await sender.sendUntil(service.url, () => ended || sender.sent.size > enough)
  if (sabotage !== undefined) await service.stop('SIGKILL')
  const { code } = await service.ended
  await tracing.stop()
  return { setting, sender, code, injected: tracing.injected() }
}

for (const call of CALLS) {
  test(`after a failed fsync (the ${call}. call and on) it answers no 200, ends, and recovers`, {
    skip: noTracing,
  }, async (t) => {
    const failed = await sendWhileFailing(t, { call })
    assert.ok(failed.injected, 'an fsync was made to fail')
    await assertFailStop(failed)
  })
}

test('a database file that cannot be flushed beside the writer ends the service too', {
  skip: noTracing,
}, async (t) => {
  const failing = { call: 1, calls: 'fdatasync', messages: MESSAGES_OF_A_LONG_LOG }
  const failed = await sendWhileFailing(t, failing)
  assert.ok(failed.injected, 'a flush was made to fail')
  await assertFailStop(failed)
})

test('the twin that takes a failed commit for a good one is caught', {
  skip: noTracing,
}, async (t) => {
  const { setting, sender, injected } = await sendWhileFailing(t, {
    call: 2,
    sabotage: 'ignored failure',
  })
  assert.ok(injected, 'an fsync was made to fail')
  const found = anomalies(setting.file, sender.sent)
  assert.ok(
    found.some((anomaly) => anomaly.includes('is lost')),
    found.join('\n'),
  )
})
