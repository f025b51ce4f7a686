// A server that refuses a batch, and answers everything else: what readiness says of it.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { aMessage, insertAll } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, openStoreFor } from '../support/postgres-stores.ts'

/** For how long a batch that found no room counts, in ms. */
const NO_ROOM_MS = 5000
const DISK_FULL = '53100'
const OUT_OF_MEMORY = '53200'

/** A store that the server has refused a batch, which it will take the next time. */
async function storeRefused(t: TestContext, code: string) {
  const url = await newDatabase()
  const store = await openStoreFor(t, url)
  const client = await connectFor(t, url)
  await client.query(`
    create function refuse() returns trigger language plpgsql as $$
      begin raise exception using errcode = '${code}'; end $$;
    create trigger refuse before insert on messages execute function refuse()`)
  await assert.rejects(insertAll(store, [aMessage()]), { name: 'StoreUnavailableError', code })
  await client.query('drop trigger refuse on messages')
  return store
}

/** Puts the clock that waiting is measured by forward when it is told to. */
function clockOf(t: TestContext) {
  const now = performance.now.bind(performance)
  const clock = { aheadMs: 0 }
  t.mock.method(performance, 'now', () => now() + clock.aheadMs)
  return clock
}

describe('a server that refused a batch and answers everything else', () => {
  it('is not ready for a while where it had no room, and then may be tried again', async (t) => {
    const clock = clockOf(t)
    const store = await storeRefused(t, DISK_FULL)
    await assert.rejects(store.probe(), { code: DISK_FULL })
    clock.aheadMs = NO_ROOM_MS / 2
    await assert.rejects(store.probe(), { code: DISK_FULL })
    clock.aheadMs = NO_ROOM_MS
    await store.probe()
  })

  it('is ready as soon as it has stored another one', async (t) => {
    const store = await storeRefused(t, DISK_FULL)
    await insertAll(store, [aMessage()])
    await store.probe()
  })

  it('is ready at once where it was for want of anything else', async (t) => {
    const store = await storeRefused(t, OUT_OF_MEMORY)
    await store.probe()
  })
})
