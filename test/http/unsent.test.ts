// What readers do not take: how much of it may wait in the memory of the service.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Unsent } from '../../src/app/http/unsent.ts'
import { APP_SECRET, aText, batch, change, signedBatch } from '../support/cloud-api.ts'
import { openServer, type TestServer } from '../support/http-server.ts'
import { until } from '../support/until.ts'

const MIB = 1024 * 1024
const READERS = 40
const environment = { READ_ACCESS: 'open', META_APP_SECRET: APP_SECRET }

/** Two messages of 3.8 MB: one page of almost as much as a page may hold. */
async function storeLargePage({ app }: TestServer): Promise<void> {
  for (const id of ['wamid.one', 'wamid.other']) {
    const text = aText({ id, text: { body: 'x'.repeat(3_800_000) } })
    const { statusCode } = await app.inject(signedBatch(batch(change({ messages: [text] }))))
    assert.equal(statusCode, 200)
  }
}

type Idle = { readonly socket: Socket; begun: string }

/** Readers who ask and take no more than the beginning of what they are sent. */
function idleReaders(t: TestContext, port: number, path: string): readonly Idle[] {
  const readers = Array.from({ length: READERS }, () => {
    const reader: Idle = { socket: connect(port, '127.0.0.1'), begun: '' }
    reader.socket.on('error', () => {})
    reader.socket.once('data', (bytes) => {
      reader.begun = bytes.toString('latin1')
      reader.socket.pause()
    })
    reader.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    return reader
  })
  t.after(() => {
    for (const { socket } of readers) socket.destroy()
  })
  return readers
}

const answered = (readers: readonly Idle[], status: number) =>
  readers.filter(({ begun }) => begun.startsWith(`HTTP/1.1 ${status} `)).length

test('large answers that nobody takes are bounded together, and refused beyond that', async (t) => {
  const server = await openServer(t, { environment })
  await storeLargePage(server)
  const port = await server.listen()
  const readers = idleReaders(t, port, '/messages')
  await until('each is answered', () => readers.every(({ begun }) => begun !== ''))
  assert.equal(answered(readers, 200) + answered(readers, 503), READERS)
  assert.ok(answered(readers, 200) > 5)
  assert.ok(answered(readers, 200) * 7 * MIB <= 128 * MIB, `${answered(readers, 200)} at once`)
  assert.equal((await server.app.inject('/stats')).statusCode, 200, 'a small one goes on')

  for (const { socket } of readers) socket.destroy()
  await until('there is room again', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/messages`)
    await answer.arrayBuffer()
    return answer.status === 200
  })
})

test('a stream without room for what comes next is cut before it, and gets it when it comes again', async (t) => {
  const server = await openServer(t, { environment })
  await storeLargePage(server)
  const port = await server.listen()
  const hold = t.mock.method(Unsent.prototype, 'hold', () => null)
  assert.doesNotMatch(await streamed(port, /^data: /m), /^data: /m)
  hold.mock.restore()
  assert.match(await streamed(port, /wamid\.other/), /wamid\.one[\s\S]*wamid\.other/)
})

/** What a stream sends from the beginning, until it is cut or has sent this. */
async function streamed(port: number, last: RegExp): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/events/stream?after=0`)
  let text = ''
  try {
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString()
      if (last.test(text)) break
    }
  } catch {
    // It was cut.
  }
  return text
}

test('an answer counts by its bytes, of which a character may have several', async (t) => {
  const server = await openServer(t, { environment })
  const text = aText({ text: { body: 'ä'.repeat(150_000) } })
  await server.app.inject(signedBatch(batch(change({ messages: [text] }))))
  const hold = t.mock.method(Unsent.prototype, 'hold')
  const { rawPayload } = await server.app.inject('/messages')
  assert.deepEqual(
    hold.mock.calls.map(({ arguments: given }) => given),
    [[rawPayload.byteLength]],
  )
})

test('small parts are always given room, and take none from large ones', () => {
  const unsent = new Unsent()
  assert.ok(unsent.hold(128 * MIB - 256 * 1024 - 1) !== null)
  for (let parts = 0; parts < 1000; parts++) assert.ok(unsent.hold(256 * 1024) !== null)
  assert.ok(unsent.hold(256 * 1024 + 1) !== null)
  assert.equal(unsent.hold(256 * 1024 + 1), null)
  assert.ok(unsent.hold(256 * 1024) !== null)
})

test('room is given back once, however often that is said', () => {
  const unsent = new Unsent()
  const release = unsent.hold(100 * MIB)
  assert.ok(release !== null)
  assert.equal(unsent.hold(100 * MIB), null)
  release()
  release()
  assert.ok(unsent.hold(100 * MIB) !== null)
  assert.equal(unsent.hold(100 * MIB), null)
})
