// PostgreSQL behind a pooler: one that keeps sessions is no hindrance, one that does not is refused.
import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { hasPgbouncer, Pgbouncer } from '../support/pgbouncer.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { connectFor } from '../support/postgres-stores.ts'
import { runCommand } from '../support/run-command.ts'
import { isReady, refusedStart } from '../support/service.ts'
import { SECRET } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'
import { postgresAnomalies } from './postgres-checker.ts'
import { Sender } from './sender.ts'
import { newSettingFor, seedOf } from './setting.ts'

describe('behind a pooler', { skip: !hasPgbouncer() && 'needs pgbouncer' }, () => {
  let server: PostgresServer
  before(async () => {
    server = await PostgresServer.start()
  })
  after(() => server.remove())

  it('that keeps sessions, two replicas store, and heal by themselves each time it is killed: nothing is lost or doubled', async (t) => {
    const url = await server.newDatabase()
    const pooler = await Pgbouncer.start(t, server, 'session')
    const setting = newSettingFor(pooler.urlFor(url), t)
    const replicas = [await setting.start(), await setting.start()] as const
    const sender = new Sender({ seed: seedOf(t) })
    let done = false
    const sending = Promise.all(replicas.map((one) => sender.sendUntil(one.url, () => done)))
    for (let kills = 0; kills < 3; kills++) {
      const enough = sender.acknowledged + 50
      await until('messages are stored', () => sender.acknowledged >= enough)
      await pooler.kill()
      const refused = countOf(sender, 503)
      await until('requests are refused', () => countOf(sender, 503) > refused)
      await pooler.start()
      for (const one of replicas) await until('it is ready again', () => isReady(one))
    }
    done = true
    await sending
    assert.deepEqual(new Set(sender.statuses.keys()), new Set([200, 503]))
    await Promise.all(replicas.map((one) => one.stop()))
    assert.deepEqual(await postgresAnomalies(url, sender.sent), [])
  })

  for (const mode of ['transaction', 'statement'] as const) {
    it(`that keeps none (${mode}), the start ends with what to do`, async (t) => {
      const url = await server.newDatabase()
      const pooler = await Pgbouncer.start(t, server, mode)
      await assertRefused(t, pooler.urlFor(url))
    })
  }

  it('that keeps none and is busy, the start ends all the same', async (t) => {
    const url = await server.newDatabase()
    const pooler = await Pgbouncer.start(t, server, 'transaction')
    const through = pooler.urlFor(url)
    let done = false
    const others = Array.from({ length: 3 }, async () => {
      const client = await connectFor(t, through)
      while (!done) await client.query('select pg_sleep(0.002)')
    })
    try {
      await assertRefused(t, through)
    } finally {
      done = true
      await Promise.all(others)
    }
  })
})

function countOf({ statuses }: Sender, status: number): number {
  return statuses.get(status) ?? 0
}

async function assertRefused(t: TestContext, url: string): Promise<void> {
  const environment = { WEBHOOK_SECRET: SECRET, READ_ACCESS: 'open', DATABASE_URL: url }
  const cwd = temporaryDirectory(t)
  const { code, stderr } = await refusedStart(t, { cwd, environment })
  assert.equal(code, 2)
  assert.match(stderr, /^The PostgreSQL database can't be used: .* pool_mode=session .*\n$/)
  const doctor = await runCommand(['doctor'], { cwd, environment })
  assert.match(doctor.stdout, /^FAULT {2}database.* pool_mode=session /m)
}
