// Connections that say nothing, or say it slowly. IDLE=10000 for a longer run.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { until } from '../support/until.ts'
import { anomalies } from './checker.ts'
import { Sender } from './sender.ts'
import { newSetting, seedOf } from './setting.ts'

const QUICK_IDLE = 500
const IDLE = Number(process.env['IDLE'] ?? QUICK_IDLE)
const START = 'POST /webhook HTTP/1.1\r\nHost: localhost\r\n'
const SLOW_BODY = `${START}Content-Length: 100\r\n\r\n{`
const LIMIT = 20
/** How long the twin is watched that keeps the surplus. */
const SURPLUS_KEPT_MS = 3000
/** Until the surplus is closed; less than the limits of time, by which it would be as well. */
const SURPLUS_MS = 7000
const SURPLUS_AT_MOST_MS = 9000
/** Longer than the service itself waits for headers, and for a body. */
const HEADERS_KEPT_MS = 13_000
const BODY_KEPT_MS = 34_000

/** A connection that has sent `text`; what came back and whether it was closed. */
class Slow {
  received = ''
  closed = false
  readonly socket: Socket

  constructor(port: number, text: string) {
    this.socket = connect(port, '127.0.0.1', () => this.socket.write(text))
    this.socket.setEncoding('latin1').on('data', (data: string) => {
      this.received += data
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.closed = true
    })
  }
}

/** Connections to the service, each having sent its text; they end with the test. */
function connectSlowly(t: TestContext, port: number, texts: readonly string[]): Slow[] {
  const slow = texts.map((text) => new Slow(port, text))
  t.after(() => {
    for (const { socket } of slow) socket.destroy()
  })
  return slow
}

function silence(connections: number): string[] {
  return Array.from({ length: connections }, () => '')
}

function closedOf(connections: readonly Slow[]): number {
  return connections.filter(({ closed }) => closed).length
}

// They wait more than they work; but ten thousand connections are work.
const CONCURRENCY = IDLE > QUICK_IDLE ? 1 : 3

describe('slow and silent connections', { concurrency: CONCURRENCY }, () => {
  test(`${IDLE} silent connections keep no message from being stored, and are closed`, {
    timeout: 120_000,
  }, async (t) => {
    const setting = newSetting(t)
    const service = await setting.start({ MAX_CONNECTIONS: String(IDLE + 100) })
    const sender = new Sender({ seed: seedOf(t) })
    const silent = connectSlowly(t, service.port, silence(IDLE))
    await until('all are connected', () => silent.every(({ socket }) => !socket.connecting))
    for (let i = 0; i < 50; i++) assert.equal(await sender.sendOne(service.url), 200)
    t.diagnostic(`${IDLE - closedOf(silent)} of ${IDLE} were open beside 50 messages`)
    await until('all are closed', () => silent.every(({ closed }) => closed))
    await service.stop()
    assert.deepEqual(anomalies(setting.file, sender.sent), [])
  })

  test('connections over the limit are closed at once, and those within it are served', async (t) => {
    const setting = newSetting(t)
    const service = await setting.start({ MAX_CONNECTIONS: String(LIMIT) })
    const sender = new Sender({ seed: seedOf(t) })
    assert.equal(await sender.sendOne(service.url), 200)
    const start = performance.now()
    const more = connectSlowly(t, service.port, silence(2 * LIMIT))
    await until('the surplus is closed', () => closedOf(more) >= LIMIT, SURPLUS_MS)
    assert.ok(performance.now() - start < SURPLUS_AT_MOST_MS, 'no limit of time has closed it')
    assert.equal(await sender.sendOne(service.url), 200)
    for (const { socket } of more) socket.destroy()
    await service.stop()
    assert.deepEqual(anomalies(setting.file, sender.sent), [])
  })

  test('the twin without a connection limit is caught keeping the surplus', async (t) => {
    const setting = newSetting(t, { sabotage: 'no connection limit' })
    const service = await setting.start({ MAX_CONNECTIONS: String(LIMIT) })
    const more = connectSlowly(t, service.port, silence(2 * LIMIT))
    const closed = until('the surplus is closed', () => closedOf(more) >= LIMIT, SURPLUS_KEPT_MS)
    await assert.rejects(closed, /Waited in vain/)
    assert.equal(closedOf(more), 0)
  })

  test('headers and bodies that trickle in are ended with 408, and delay nobody', {
    timeout: 120_000,
  }, async (t) => {
    const setting = newSetting(t)
    const service = await setting.start()
    const sender = new Sender({ seed: seedOf(t) })
    const [headers, body] = connectSlowly(t, service.port, [START, SLOW_BODY])
    for (let i = 0; i < 20; i++) assert.equal(await sender.sendOne(service.url), 200)
    await until('the slow headers are ended', () => headers?.closed === true)
    assert.match(headers?.received ?? '', /^HTTP\/1\.1 408 /)
    assert.equal(body?.closed, false)
    await until('the slow body is ended', () => body?.closed === true, 60_000)
    assert.match(body?.received ?? '', /^HTTP\/1\.1 408 /)
    await service.stop()
    assert.deepEqual(anomalies(setting.file, sender.sent), [])
  })

  test('the twin without time limits is caught keeping slow and silent connections', {
    timeout: 120_000,
  }, async (t) => {
    const service = await newSetting(t, { sabotage: 'endless patience' }).start()
    // The limit of a body is three times that of the others: too long for the quick form.
    const texts = IDLE > QUICK_IDLE ? ['', START, SLOW_BODY] : ['', START]
    const slow = connectSlowly(t, service.port, texts)
    const limitMs = IDLE > QUICK_IDLE ? BODY_KEPT_MS : HEADERS_KEPT_MS
    const ended = until('one is ended', () => closedOf(slow) > 0, limitMs)
    await assert.rejects(ended, /Waited in vain/)
  })
})
