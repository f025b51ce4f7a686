// Bodies of thousands of events, as a phone app's history has them, and several at once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APP_SECRET, aText, batch, change, signedBatch } from '../support/cloud-api.ts'
import { ENGINES } from '../support/engines.ts'
import { startOpenService } from '../support/open-service.ts'
import { type Service, untilReady } from '../support/service.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const BODIES = 5
const MESSAGES = 3000

/** Of messages of as many people, with its signature. */
function signedBody(n: number) {
  const messages = Array.from({ length: MESSAGES }, (_, i) =>
    aText({ id: `large-${n}-${i}`, from: `1415${1_000_000 + n * MESSAGES + i}` }),
  )
  return signedBatch(batch(change({ messages })))
}

async function send({ url }: Service, { payload, headers }: ReturnType<typeof signedBody>) {
  const answer = await fetch(`${url}/webhook`, { method: 'POST', body: payload, headers })
  await answer.arrayBuffer()
  return answer.status
}

for (const engine of ENGINES) {
  test(`${engine.name}: bodies of thousands of messages of new people, all at once, are stored`, async (t) => {
    const cwd = temporaryDirectory(t)
    const { url } = await engine.newDatabase(cwd)
    const environment = { DATABASE_URL: url, META_APP_SECRET: APP_SECRET }
    const service = await startOpenService(t, { cwd, environment })
    await untilReady(service)
    const bodies = Array.from({ length: BODIES }, (_, n) => signedBody(n))
    const statuses = await Promise.all(bodies.map((body) => send(service, body)))
    assert.deepEqual(statuses, Array(BODIES).fill(200))
    const stats = (await (await fetch(`${service.url}/stats`)).json()) as Record<string, unknown>
    assert.equal(stats['total_messages'], BODIES * MESSAGES)
  })
}
