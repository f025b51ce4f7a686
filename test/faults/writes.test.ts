// A write that fails. For want of room it is a 503 until there is some; after any other error of the
// disk the service ends and recovers. The search index is derived, and holds nobody up.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isReady, readinessOf } from '../support/service.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { assertFailStop } from './fail-stop.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'
import { injectIntoWrites, noTracing } from './tracing.ts'

const CALLS = (process.env['FAILING_WRITES'] ?? '1,30').split(',').map(Number)
/** So many that the log is copied into the database, and outgrows what is shared about it. */
const MOST = 6000
/** How long the service is given to end, in ms. */
const PATIENCE_MS = 10_000
const FILES = {
  log: '.db-wal',
  'database file': '.db',
  'shared index of the log': '.db-shm',
  'log of the search index': '-search.db-wal',
} as const

type Failing = {
  readonly file: keyof typeof FILES
  readonly error: 'EIO' | 'ENOSPC'
  /** Which calls of a thread fail, as strace counts them: `3`, or `3+` with all that follow. */
  readonly when: string
  readonly sabotage?: Sabotage
}

/** Sends until a write has failed and somebody was told, or the service has ended. */
async function sendWhileFailing(t: TestContext, { file, error, when, sabotage }: Failing) {
  const setting = newSetting(t, sabotage === undefined ? {} : { sabotage })
  const service = await setting.start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  assert.equal(await sender.sendOne(service.url), 200)
  const tracing = await injectIntoWrites(service.pid, {
    file: setting.file.replace(/\.db$/, FILES[file]),
    fault: `error=${error}:when=${when}`,
    log: `${setting.file}.strace`,
  })
  const state = { ended: false }
  void service.ended.then(() => {
    state.ended = true
  })
  const isTold = () => sender.statuses.has(503) || sender.sent.size > MOST
  const goesUnnoticed = file !== 'log' || sabotage !== undefined
  await sender.sendUntil(
    service.url,
    () => state.ended || isTold() || (goesUnnoticed && tracing.injected()),
  )
  return { setting, service, sender, tracing, state }
}

type Sending = Awaited<ReturnType<typeof sendWhileFailing>>

async function assertEnds({ setting, service, sender, tracing, state }: Sending): Promise<void> {
  const patience = delay(PATIENCE_MS)
  await sender.sendUntil(service.url, () => state.ended || sender.sent.size > MOST)
  await Promise.race([service.ended, patience])
  if (!state.ended) service.signal('SIGKILL')
  const { code } = await service.ended
  await tracing.stop()
  assert.ok(tracing.injected(), 'a write was made to fail')
  await assertFailStop({ setting, sender, code })
}

async function assertHeals({ setting, service, sender, tracing }: Sending): Promise<void> {
  await tracing.stop()
  assert.ok(tracing.injected(), 'a write was made to fail')
  await until('it is ready by itself', () => isReady(service))
  assert.equal(await sender.sendOne(service.url), 200)
  assert.equal((await service.stop()).code, 0)
  assert.ok(!sender.statuses.has(0), 'every request was answered')
  assert.equal(sender.withoutRetryAfter, 0)
  assert.deepEqual(anomalies(setting.file, sender.sent), [])
}

const options = { skip: noTracing, timeout: 120_000 }

for (const call of CALLS) {
  for (const [what, when] of [
    [`the ${call}. call alone`, `${call}`],
    [`the ${call}. call and on`, `${call}+`],
  ] as const) {
    test(`after a failed write to the log (${what}) it ends and recovers`, options, async (t) => {
      await assertEnds(await sendWhileFailing(t, { file: 'log', error: 'EIO', when }))
    })

    test(`a write to the log without room (${what}) is a 503, and it heals`, options, async (t) => {
      const sending = await sendWhileFailing(t, { file: 'log', error: 'ENOSPC', when })
      assert.ok(sending.sender.statuses.has(503))
      if (when.endsWith('+')) assert.equal(await readinessOf(sending.service), 503)
      await assertHeals(sending)
    })
  }
}

test('after a failed write to the database file it ends and recovers', options, async (t) => {
  await assertEnds(await sendWhileFailing(t, { file: 'database file', error: 'EIO', when: '1' }))
})

for (const [file, error, when] of [
  ['shared index of the log', 'ENOSPC', '1'],
  ['shared index of the log', 'ENOSPC', '1+'],
  ['log of the search index', 'ENOSPC', '1+'],
  ['log of the search index', 'EIO', '1'],
] as const) {
  test(
    `a write to the ${file} that fails (${error}, ${when}) loses nothing, and it heals`,
    options,
    async (t) => {
      await assertHeals(await sendWhileFailing(t, { file, error, when }))
    },
  )
}

for (const error of ['EIO', 'ENOSPC'] as const) {
  test(
    `the twin that takes a failed commit for a good one is caught (${error})`,
    options,
    async (t) => {
      const failing = { file: 'log', error, when: '30+', sabotage: 'ignored failure' } as const
      const { setting, service, sender, tracing } = await sendWhileFailing(t, failing)
      assert.ok(tracing.injected(), 'a write was made to fail')
      const more = sender.sent.size + 100
      await sender.sendUntil(service.url, () => sender.sent.size > more)
      service.signal('SIGKILL')
      await service.ended
      await tracing.stop()
      assertLossCaught(anomalies(setting.file, sender.sent))
    },
  )
}
