// Faults of the way to a server of PostgreSQL: connections that are cut, go silent, or crawl.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { untilReady } from '../support/service.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { countConnections } from './connection-count.ts'
import { postgresAnomalies } from './postgres-checker.ts'
import { acknowledged, SLOW_FAULTS, startServer } from './postgres-faults.ts'
import { Sender } from './sender.ts'
import { newSettingFor, type Sabotage, seedOf } from './setting.ts'

/** Of a request, whatever the fault; the service allows itself less than half of it. */
const ANSWERED_WITHIN_MS = 12_000
const POOL_SIZE = 5
/** Of those, not to write or to listen. After each that falls silent another one asks, for a moment. */
const READING = POOL_SIZE - 2
/** More than may read at once. */
const READERS = 8

type Fault = (link: TcpProxy) => void

/** A fault again and again, while messages arrive and are read. */
async function throughFaults(t: TestContext, fault: Fault, sabotage?: Sabotage) {
  const server = await startServer(t)
  const url = await server.newDatabase()
  const link = await TcpProxy.start(t, server.port)
  const setting = newSettingFor(link.urlFor(url), t, sabotage)
  const service = await setting.start({ DATABASE_POOL_SIZE: String(POOL_SIZE) })
  const sender = new Sender({ seed: seedOf(t) })
  let done = false
  const isDone = () => done
  const counting = countConnections(server, link, isDone)
  const busy = [sender.sendUntil(service.url, isDone), readUntil(service.url, isDone)]
  for (let round = 0; round < SLOW_FAULTS; round++) {
    await acknowledged(sender)
    fault(link)
  }
  await acknowledged(sender)
  done = true
  await Promise.all(busy)
  const most = await counting
  t.diagnostic(
    `${sender.acknowledged} acknowledged of ${sender.sent.size}, ${SLOW_FAULTS} faults, ` +
      `at most ${most.held} connections held and ${most.served} served`,
  )
  return { server, url, service, sender, most }
}

async function readUntil(url: string, isDone: () => boolean): Promise<void> {
  const reader = async () => {
    while (!isDone()) await (await fetch(`${url}/messages?limit=5`)).arrayBuffer()
  }
  await Promise.all(Array.from({ length: READERS }, reader))
}

for (const [what, fault] of [
  ['cut in the middle of what is said (RST)', (link) => link.reset()],
  ['silent for ever, while new ones work (half open)', (link) => link.abandon()],
  ['at a byte a second for six seconds', (link) => void trickleFor(link, 6000)],
] as const satisfies readonly (readonly [string, Fault])[]) {
  test(`connections ${what}, ${SLOW_FAULTS} times under load: never too many, every request is answered in time, nothing is lost or stuck`, {
    timeout: 3_600_000,
  }, async (t) => {
    const { server, url, service, sender, most } = await throughFaults(t, fault)
    assert.ok(most.held <= POOL_SIZE + READING, `${most.held} connections`)
    assert.ok(most.served <= POOL_SIZE, `${most.served} connections at the server`)
    assert.ok(sender.slowestMs < ANSWERED_WITHIN_MS, `the slowest took ${sender.slowestMs} ms`)
    assert.ok([...sender.statuses.keys()].every((status) => [200, 503].includes(status)))
    await untilReady(service)
    await until('no transaction is left open', async () => {
      const open = await server.query(
        `select 1 from pg_stat_activity where application_name = 'whatsapp-webhook-service'
         and xact_start < now() - interval '1 second'`,
      )
      return open.length === 0
    })
    await service.stop()
    assert.deepEqual(await postgresAnomalies(url, sender.sent), [])
  })
}

test('the twin without a limit of its pool is caught with too many connections', async (t) => {
  const { most } = await throughFaults(t, (link) => link.reset(), 'no pool limit')
  assert.ok(most.held > POOL_SIZE + READING, `${most.held} connections`)
  assert.ok(most.served > POOL_SIZE, `${most.served} connections at the server`)
})

async function trickleFor(link: TcpProxy, ms: number): Promise<void> {
  link.trickle(1)
  await sleep(ms)
  link.trickle(Number.POSITIVE_INFINITY)
}
