// An fsync that fails. SQLite would go on with the next commit as if nothing had happened, although
// the system may have dropped what was not written; so the service must end and recover.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { assertFailStop } from './fail-stop.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'
import { injectIntoFsync, noTracing } from './tracing.ts'

const CALLS = (process.env['FSYNC_CALLS'] ?? '1,2,5').split(',').map(Number)
/** Messages that are sent at most: sixteen may share a commit, which is a call at least. */
const messagesUntil = (call: number) => 300 + 20 * call
/** So many that the log is copied into the database meanwhile. */
const MESSAGES_OF_A_LONG_LOG = 4000
/** How long the service is given to end, in ms. */
const PATIENCE_MS = 10_000

type Failing = {
  /** Which calls fail, as strace counts them: `3`, or `3+` with all that follow. */
  readonly when: string
  readonly sabotage?: Sabotage
  /** The system calls; default: every one that flushes. */
  readonly calls?: string
  /** Messages that are sent at most. */
  readonly messages: number
}

async function sendWhileFailing(t: TestContext, { when, sabotage, calls, messages }: Failing) {
  const setting = newSetting(t, sabotage === undefined ? {} : { sabotage })
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  const fault = `error=EIO:when=${when}`
  const tracing = await injectIntoFsync(service.pid, fault, `${setting.file}.strace`, calls)
  let ended = false
  void service.ended.then(() => {
    ended = true
  })
  const enough = sender.sent.size + messages
  await sender.sendUntil(service.url, () => ended || sender.sent.size > enough)
  if (sabotage === undefined) await Promise.race([service.ended, delay(PATIENCE_MS)])
  if (!ended) service.signal('SIGKILL')
  const { code } = await service.ended
  await tracing.stop()
  return { setting, sender, code, injected: tracing.injected() }
}

for (const call of CALLS) {
  const messages = messagesUntil(call)
  for (const [what, when] of [
    [`the ${call}. call alone`, `${call}`],
    [`the ${call}. call and on`, `${call}+`],
  ] as const) {
    test(`after a failed fsync (${what}) it answers no 200, ends, and recovers`, {
      skip: noTracing,
      timeout: 120_000,
    }, async (t) => {
      const failed = await sendWhileFailing(t, { when, messages })
      assert.ok(failed.injected, 'an fsync was made to fail')
      await assertFailStop(failed)
    })
  }
}

test('a database file that cannot be flushed beside the writer ends the service too', {
  skip: noTracing,
  timeout: 120_000,
}, async (t) => {
  const failing = { when: '1', calls: 'fdatasync', messages: MESSAGES_OF_A_LONG_LOG }
  const failed = await sendWhileFailing(t, failing)
  assert.ok(failed.injected, 'a flush was made to fail')
  await assertFailStop(failed)
})

for (const when of ['2', '2+']) {
  test(`the twin that takes a failed commit for a good one is caught (fsync ${when})`, {
    skip: noTracing,
    timeout: 120_000,
  }, async (t) => {
    const failing = { when, sabotage: 'ignored failure', messages: messagesUntil(2) } as const
    const { setting, sender, injected } = await sendWhileFailing(t, failing)
    assert.ok(injected, 'an fsync was made to fail')
    const found = anomalies(setting.file, sender.sent)
    assertLossCaught(found)
  })
}
