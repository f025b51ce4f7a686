// Files that may grow no further on a disk that has room: a limit of the process, as a quota is one
// of its user. SQLite tells that like any other write that failed, so it ends the service.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { assertFailStop } from './fail-stop.ts'
import { Sender } from './sender.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'

/** Of each file, in blocks of 512 bytes, or of 1024 in some shells: more than an empty database has. */
const LIMIT = 1500
const LIMITED = ['sh', '-c', `ulimit -f ${LIMIT}; exec "$@"`, 'sh']
/** Far more than fit. */
const MOST = 1000

async function sendUntilLimited(t: TestContext, sabotage?: Sabotage) {
  const directory = temporaryDirectory(t)
  const sabotaged = sabotage === undefined ? {} : { sabotage }
  const service = await newSetting(t, { directory, via: LIMITED, ...sabotaged }).start()
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  let ended = false
  void service.ended.then(() => {
    ended = true
  })
  await sender.sendUntil(service.url, () => ended || sender.sent.size > MOST)
  assert.ok(sender.acknowledged > 0)
  if (sabotage !== undefined) service.signal('SIGKILL')
  const { code } = await service.ended
  return { setting: newSetting(t, { directory }), sender, code }
}

test('a file that may grow no further ends the service: no 200 for what is lost, and all is well without the limit', async (t) => {
  await assertFailStop(await sendUntilLimited(t))
})

test('the twin that takes a failed commit for a good one is caught at such a limit', async (t) => {
  const { setting, sender } = await sendUntilLimited(t, 'ignored failure')
  assertLossCaught(anomalies(setting.file, sender.sent))
})
