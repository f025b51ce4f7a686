// Readers of the live stream that stop reading. READERS=100 for a longer run.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fillDatabase } from '../support/filled-database.ts'
import type { Service } from '../support/service.ts'
import { flatBody } from '../support/signed.ts'
import { until } from '../support/until.ts'
import { EventClient } from './event-client.ts'
import { Sender } from './sender.ts'
import { sequenceAnomalies, storedSequence } from './sequence-checker.ts'
import { newSetting, type Sabotage, seedOf } from './setting.ts'
import { ESTABLISHED, loopback, readTcpTable } from './tcp-table.ts'

const READERS = Number(process.env['READERS'] ?? 20)
const HEALTHY = 3
/** Far more than the system itself holds for a reader. */
const STORED = 12_000
const TEXT = 'a text of two kilobytes '.repeat(85)
const REQUEST = 'GET /events/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 0\r\n\r\n'
/** In which the service has to drop them, in ms. */
const PATIENCE_MS = 30_000
/** Longer than the service waits for what a reader takes, in ms. */
const KEPT_MS = 13_000
/** As npm start and the image run it. */
const AS_IT_RUNS = { NODE_OPTIONS: '--max-semi-space-size=8' }

const noProcesses = process.platform === 'linux' ? false : 'needs /proc'

/** A service with more to tell than its readers take, and `READERS` that take nothing. */
async function stall(t: TestContext, sabotage?: Sabotage) {
  const setting = newSetting(t, sabotage === undefined ? {} : { sabotage })
  const bodies = Array.from({ length: STORED }, (_, i) =>
    flatBody({ message_id: `stored-${i}`, text: TEXT }),
  )
  await fillDatabase(setting.file, bodies)
  const service = await setting.start(AS_IT_RUNS)
  const sender = new Sender({ seed: seedOf(t) })
  await sender.sendUntil(service.url, () => sender.acknowledged > 50)
  const mib = residentMib(service)
  const port = Number(new URL(service.url).port)
  const readers = Array.from({ length: READERS }, () => connect(port, '127.0.0.1'))
  for (const reader of readers) {
    reader.on('error', () => {})
    reader.pause().write(REQUEST)
  }
  t.after(() => {
    for (const reader of readers) reader.destroy()
  })
  await until('all are connected', () => readers.every(({ localPort }) => localPort !== undefined))
  return { setting, service, sender, readers, mib }
}

function residentMib({ pid }: Service): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

/** How many the service has not closed; its side of a connection may have more to send than is taken. */
function connectedOf(readers: readonly Socket[]): number {
  const connections = readTcpTable()
  return readers.filter(({ localPort = 0, remotePort = 0 }) =>
    connections.includes(` ${loopback(remotePort)} ${loopback(localPort)} ${ESTABLISHED} `),
  ).length
}

// Together: each waits as long as the service does.
describe('readers who stop reading', { concurrency: true }, () => {
  test(`${READERS} readers who stop reading are dropped, and nobody else is held up`, {
    skip: noProcesses,
    timeout: 300_000,
  }, async (t) => {
    const { setting, service, sender, readers, mib: before } = await stall(t)
    const clients = Array.from({ length: HEALTHY }, () => new EventClient({ urls: [service.url] }))
    for (const client of clients) client.start()
    t.after(() => Promise.all(clients.map((client) => client.close())))
    const enough = sender.sent.size + 500
    await sender.sendUntil(service.url, () => sender.sent.size > enough)
    const stored = await storedSequence(`sqlite:///${setting.file}`)
    await until('the others have everything', () =>
      clients.every(({ seen }) => seen.length >= stored.length),
    )
    await until('those who take nothing are dropped', () => connectedOf(readers) === 0, PATIENCE_MS)
    const growth = residentMib(service) - before
    t.diagnostic(`${growth.toFixed(0)} MiB more with ${READERS} stalled readers`)
    assert.deepEqual([...sender.statuses.keys()], [200])
    for (const { seen, streams } of clients) {
      assert.equal(streams, 1)
      assert.deepEqual(sequenceAnomalies(stored, seen), [])
    }
  })

  test('the twin that takes every reader for a quick one is caught keeping those who take nothing', {
    skip: noProcesses,
    timeout: 300_000,
  }, async (t) => {
    const { readers } = await stall(t, 'boundless readers')
    await delay(KEPT_MS)
    assert.equal(connectedOf(readers), READERS)
  })
})
