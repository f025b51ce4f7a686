// Connections that say nothing, or say it slowly. IDLE=10000 for a longer run.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { Sender } from './sender.ts'
import { newSetting, seedOf } from './setting.ts'

const IDLE = Number(process.env['IDLE'] ?? 500)

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

test(`${IDLE} silent connections keep no message from being stored, and are closed`, {
  timeout: 120_000,
}, async (t) => {
  const service = await newSetting(t).start()
  const sender = new Sender({ seed: seedOf(t) })
  const silent = Array.from({ length: IDLE }, () => new Slow(service.port, ''))
  t.after(() => {
    for (const { socket } of silent) socket.destroy()
  })
  await until('all are connected', () => silent.every(({ socket }) => !socket.connecting))
  for (let i = 0; i < 50; i++) assert.equal(await sender.sendOne(service.url), 200)
  await until('all are closed', () => silent.every(({ closed }) => closed))
  await service.stop()
})

test('connections over the limit are closed at once, and those within it are served', async (t) => {
  const service = await newSetting(t).start({ MAX_CONNECTIONS: '20' })
  const sender = new Sender({ seed: seedOf(t) })
  assert.equal(await sender.sendOne(service.url), 200)
  const more = Array.from({ length: 40 }, () => new Slow(service.port, ''))
  await until('the surplus is closed', () => more.filter(({ closed }) => closed).length >= 20)
  assert.equal(await sender.sendOne(service.url), 200)
  for (const { socket } of more) socket.destroy()
  await service.stop()
})

test('headers and bodies that trickle in are ended with 408, and delay nobody', {
  timeout: 120_000,
}, async (t) => {
  const service = await newSetting(t).start()
  const sender = new Sender({ seed: seedOf(t) })
  const start = 'POST /webhook HTTP/1.1\r\nHost: localhost\r\n'
  const slow = [
    new Slow(service.port, start),
    new Slow(service.port, `${start}Content-Length: 100\r\n\r\n{`),
  ]
  t.after(() => {
    for (const { socket } of slow) socket.destroy()
  })
  for (let i = 0; i < 20; i++) assert.equal(await sender.sendOne(service.url), 200)
  const [headers, body] = slow
  await until('the slow headers are ended', () => headers?.closed === true)
  assert.match(headers?.received ?? '', /^HTTP\/1\.1 408 /)
  assert.equal(body?.closed, false)
  await until('the slow body is ended', () => body?.closed === true, 60_000)
  assert.match(body?.received ?? '', /^HTTP\/1\.1 408 /)
  await service.stop()
})

test('the twin without time limits is caught keeping slow connections', {
  timeout: 60_000,
}, async (t) => {
  const service = await newSetting(t, { sabotage: 'endless patience' }).start()
  const slow = new Slow(service.port, 'POST /webhook HTTP/1.1\r\nHost: localhost\r\n')
  t.after(() => void slow.socket.destroy())
  // Longer than the service itself waits for headers.
  const ended = until('the slow headers are ended', () => slow.closed, 13_000)
  await assert.rejects(ended, /Waited in vain/)
})
