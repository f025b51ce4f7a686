// A search index that can't be written for a while: the log says so once, and when it is over.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startOpenService } from '../support/open-service.ts'
import { post, type Service } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'
import { holdWriteLock } from '../support/write-lock.ts'

/** Of writing to the index, each of which waits for the lock. */
const TRIES = 3

async function faultsOf({ url }: Service): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return Number(/^search_index_errors_total (\d+)$/m.exec(metrics)?.[1])
}

test('an index that can not be brought up to date is said once, and when it can', async (t) => {
  const cwd = temporaryDirectory(t)
  const service = await startOpenService(t, { cwd })
  const said = (text: string) => service.log.filter(({ msg }) => msg === text)
  const unlock = holdWriteLock(join(cwd, 'data', 'messages-search.db'))
  t.after(unlock)
  const body = toBytes(flatBody())
  assert.equal((await post(service, body, signature(body))).status, 200)
  await until('it was tried often', async () => (await faultsOf(service)) >= TRIES)
  const failed = said('the search index could not be brought up to date; it is tried again')
  assert.equal(failed.length, 1)
  assert.equal(failed[0]?.['level'], 'warn')
  const ended = 'the search index is being brought up to date again'
  assert.equal(said(ended).length, 0)
  unlock()
  await service.logged(ended)
  assert.equal(said(ended).length, 1)
})
