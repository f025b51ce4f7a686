// What the service's threads may take from each other where processors are scarce.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { constants, getPriority } from 'node:os'
import { test } from 'node:test'
import { post, startService } from '../support/service.ts'
import { flatBody, SECRET, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** Where the nice value stands in a line of proc_pid_stat(5), behind the name of the thread. */
const NICE_AT = 16

function nicenessOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[NICE_AT])
  })
}

test('searching and indexing come behind storing and answering, and nothing else does', {
  skip: process.platform !== 'linux' && 'only Linux has priorities of threads',
}, async (t) => {
  const service = await startService(t, {
    cwd: temporaryDirectory(t),
    environment: { WEBHOOK_SECRET: SECRET, READ_ACCESS: 'open' },
  })
  const body = toBytes(flatBody({ text: 'behind' }))
  assert.equal((await post(service, body, signature(body))).status, 200)
  // Each begins a thread that it needs: whatever a thread begins has its priority.
  for (const path of ['/messages?q=behind', '/stats', '/metrics']) {
    assert.equal((await fetch(service.url + path)).status, 200)
  }
  const usual = getPriority()
  const others = nicenessOf(service.pid).filter((nice) => nice !== usual)
  const { PRIORITY_BELOW_NORMAL, PRIORITY_LOW } = constants.priority
  assert.deepEqual(others, [Math.min(usual + PRIORITY_BELOW_NORMAL, PRIORITY_LOW)])
})
