import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { it, type TestContext } from 'node:test'
import { wordFor } from '../../../src/app/cli/no-answer.ts'

/** Why a server that answers nothing gave no answer; `isThere` until then. */
async function reasonOf(t: TestContext, { isThere }: { isThere: boolean }): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  if (isThere) t.after(() => server.close())
  else await new Promise((closed) => server.close(closed))
  const limit = isThere ? { signal: AbortSignal.timeout(100) } : {}
  return await fetch(`http://127.0.0.1:${port}`, limit).then(
    () => 'an answer',
    (error: unknown) => wordFor(error),
  )
}

it('a server that is not there is told by the code of the system', async (t) => {
  assert.equal(await reasonOf(t, { isThere: false }), 'ECONNREFUSED')
})

it('a server that takes too long is told by a name, and not by the number that is its code', async (t) => {
  assert.equal(await reasonOf(t, { isThere: true }), 'TimeoutError')
})
