import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { madeUpMessage } from '../../src/app/cli/made-up.ts'
import { randomFrom } from '../../src/app/cli/random.ts'
import { parseFlatMessage } from '../../src/app/receive/flat.ts'
import { startOpenService } from '../support/open-service.ts'
import { runCommand, startCommand } from '../support/run-command.ts'
import { type FlatBody, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

describe('send, to the real service', { concurrency: 2 }, () => {
  it('delivers one message as its options say', async (test) => {
    const cwd = temporaryDirectory(test)
    const { url } = await startOpenService(test, { cwd })
    const message = {
      message_id: 'one',
      from: '+447700900001',
      to: '+447700900002',
      ts: '2025-01-15T10:00:00Z',
      text: '-- \u{1f389} "hi"',
    }
    const { message_id: id, from, to, ts, text } = message
    const args = ['--id', id, '--from', from, '--to', to, '--ts', ts, `--text=${text}`]
    const sent = await runCommand(['send', '--url', url, ...args], { cwd })
    assert.match(sent.stdout, /^200 "one" in [\d.]+ ms\n$/)
    assert.deepEqual({ code: sent.code, stderr: sent.stderr }, { code: 0, stderr: '' })
    assert.partialDeepStrictEqual(await (await fetch(`${url}/messages/one`)).json(), message)
  })

  it('gives what is not said a value, and a new id each time', async (test) => {
    const cwd = temporaryDirectory(test)
    const { url } = await startOpenService(test, { cwd })
    // The service takes the same secret, so its port is all that is left to say.
    const environment = { WEBHOOK_SECRET: 'a,b', PORT: new URL(url).port, HOST: '127.0.0.1' }
    const refused = await runCommand(['send'], { cwd, environment })
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, /^401 /)
    assert.match(refused.stderr, /invalid signature/)
    assert.match(refused.stderr, /^GET \/rejections names the likely cause\.$/m)
    for (let i = 0; i < 2; i++) await runCommand(['send', '--url', `${url}/webhook`], { cwd })
    assert.equal(await storedAt(url), 2)
  })

  it('delivers many made-up messages and sums up', async (test) => {
    const cwd = temporaryDirectory(test)
    const { url } = await startOpenService(test, { cwd })
    const args = ['send', '--url', url, '--count', '300', '--concurrency', '16', '--rate', '2000']
    const { code, stdout } = await runCommand(args, { cwd })
    assert.equal(code, 0)
    assert.match(stdout, /^answers {2}200 × 300$/m)
    assert.match(stdout, /^latency {2}p50 [\d.]+ ms, p90 [\d.]+ ms, p99 [\d.]+ ms, max [\d.]+ ms$/m)
    assert.match(stdout, /^rate {5}[\d.,]+ messages\/s over [\d.]+ s$/m)
    assert.equal(await storedAt(url), 300)
    await runCommand(['send', '--url', url, '--count', '10'], { cwd })
    assert.equal(await storedAt(url), 310)
  })

  it('ends with 1 and counts the 401 where the secret is another', async (test) => {
    const cwd = temporaryDirectory(test)
    const { url } = await startOpenService(test, { cwd })
    const args = ['send', '--url', url, '--count', '20']
    const environment = { WEBHOOK_SECRET: 'another' }
    const { code, stdout, stderr } = await runCommand(args, { cwd, environment })
    assert.equal(code, 1)
    assert.match(stdout, /^answers {2}401 × 20 .*invalid signature/m)
    assert.equal(stderr, 'Not every message was answered 200.\n')
    assert.equal(await storedAt(url), 0)
  })
})

describe('send, to a webhook that has its moods', { concurrency: 2 }, () => {
  it('sends the same bytes again after a lost connection, 503 and 429', async (test) => {
    const cwd = temporaryDirectory(test)
    const webhook = await openWebhook(test, ['lost', 503, 429, 200])
    const { code, stderr } = await runCommand(['send', '--url', webhook.url], { cwd })
    assert.equal(code, 0)
    assert.deepEqual(
      stderr.match(/^\w+; trying again/gm)?.map((line) => line.split(';')[0]),
      ['UND_ERR_SOCKET', '503', '429'],
    )
    assert.equal(webhook.bodies.length, 4)
    assert.equal(new Set(webhook.bodies).size, 1)
  })

  it('counts retries in its summary', async (test) => {
    const cwd = temporaryDirectory(test)
    const webhook = await openWebhook(test, [503, 503, 503, 200])
    const args = ['send', '--url', webhook.url, '--count', '5', '--concurrency', '1']
    const { code, stdout } = await runCommand(args, { cwd })
    assert.equal(code, 0)
    assert.match(stdout, /^answers {2}200 × 5\nretries {2}3$/m)
  })

  it('gives up when the retries are used up, and never repeats what cannot change', async (test) => {
    const cwd = temporaryDirectory(test)
    for (const [status, retry, tries] of [
      [503, '2', 3],
      [503, '0', 1],
      [422, '5', 1],
      [307, '5', 1],
    ] as const) {
      const webhook = await openWebhook(test, [status])
      const args = ['send', '--url', webhook.url, '--retry', retry]
      const { code, stdout } = await runCommand(args, { cwd })
      assert.equal(code, 1)
      assert.match(stdout, new RegExp(`^${status} `))
      assert.equal(webhook.bodies.length, tries)
    }
  })

  it('says that nobody answered', async (test) => {
    const cwd = temporaryDirectory(test)
    const webhook = await openWebhook(test, [200])
    await webhook.close()
    const args = ['send', '--url', webhook.url, '--retry', '0']
    const { code, stdout, stderr } = await runCommand(args, { cwd })
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
    assert.match(stderr, /gave no answer \(ECONNREFUSED\)/)
    const blocked = ['send', '--url', 'http://127.0.0.1:6000', '--retry', '0']
    assert.match((await runCommand(blocked, { cwd })).stderr, /gave no answer \(bad port\)/)
  })

  it('makes the same messages from the same seed, and new ones without', async (test) => {
    const cwd = temporaryDirectory(test)
    const runs: string[][] = []
    for (const options of [['--seed', 'a'], ['--seed', 'a'], ['--seed', 'b'], [], []]) {
      const webhook = await openWebhook(test, [200])
      const args = ['send', '--url', webhook.url, '--count', '30', ...options]
      assert.equal((await runCommand(args, { cwd })).code, 0)
      runs.push([...webhook.bodies].sort())
    }
    assert.deepEqual(runs[0], runs[1])
    const ids = runs.map((run) => run.map((body) => (JSON.parse(body) as FlatBody).message_id))
    assert.equal(new Set(ids.flat()).size, 4 * 30)
  })

  it('signs every message and sets the fields that are given', async (test) => {
    const cwd = temporaryDirectory(test)
    const webhook = await openWebhook(test, [200])
    const fields = { from: '+447700900999', to: '+447700900998', ts: '2025-01-15T10:00:00Z' }
    const options = Object.entries(fields).flatMap(([name, value]) => [`--${name}`, value])
    await runCommand(['send', '--url', webhook.url, '--count', '20', ...options], { cwd })
    assert.equal(webhook.bodies.length, 20)
    for (const body of webhook.bodies) {
      const { from, to, ts } = JSON.parse(body) as FlatBody
      assert.deepEqual({ from, to, ts }, fields)
    }
  })

  it('stops at Ctrl-C and still sums up what it sent', async (test) => {
    const cwd = temporaryDirectory(test)
    const webhook = await openWebhook(test, [200])
    const args = ['send', '--url', webhook.url, '--count', '1000000', '--rate', '100']
    const { child, result } = startCommand(args, { cwd })
    await until('some are sent', () => webhook.bodies.length > 10)
    child.kill('SIGINT')
    const { code, stdout, stderr } = await result
    assert.equal(code, 1)
    assert.equal(stderr, '')
    assert.match(stdout, new RegExp(`^answers {2}200 × ${webhook.bodies.length}$`, 'm'))
    assert.match(stdout, /^not sent 999,\d{3}$/m)
  })
})

describe('made-up messages', () => {
  it('are all valid, of many scripts, and from few busy senders', () => {
    const run = { run: 'unit', random: randomFrom('unit'), seeded: true }
    const messages = Array.from({ length: 2000 }, (_, i) => madeUpMessage(run, i))
    const parsed = messages.map((message) => parseFlatMessage(toBytes(message)))
    assert.equal(new Set(parsed.map(({ messageId }) => messageId)).size, 2000)
    const texts = parsed.map(({ text }) => text ?? '').join('')
    for (const script of ['Latin', 'Greek', 'Cyrillic', 'Arabic', 'Hebrew', 'Devanagari', 'Thai']) {
      assert.match(texts, new RegExp(`\\p{Script=${script}}`, 'u'), script)
    }
    for (const script of ['Han', 'Hiragana', 'Hangul', 'Ethiopic', 'Tamil']) {
      assert.match(texts, new RegExp(`\\p{Script=${script}}`, 'u'), script)
    }
    assert.match(texts, /\p{Emoji_Presentation}/u)
    const counts = Map.groupBy(parsed, ({ from }) => from)
    const busiest = Math.max(...[...counts.values()].map(({ length }) => length))
    assert.ok(counts.size > 100 && busiest > 20 * (2000 / 1000), `${counts.size}, ${busiest}`)
  })
})

async function storedAt(url: string): Promise<number> {
  const { total_messages } = (await (await fetch(`${url}/stats`)).json()) as {
    total_messages: number
  }
  return total_messages
}

type Webhook = {
  readonly url: string
  /** What came, whatever was answered. */
  readonly bodies: readonly string[]
  close(): Promise<void>
}

/** A webhook with these answers in turn, the last one for ever; it checks every signature. */
async function openWebhook(
  test: TestContext,
  answers: readonly (number | 'lost')[],
): Promise<Webhook> {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const answer = answers[Math.min(bodies.length, answers.length - 1)]
    bodies.push(body.toString())
    if (request.headers['x-signature'] !== signature(body)) response.writeHead(401).end()
    else if (answer === 'lost' || answer === undefined) request.socket.destroy()
    else response.writeHead(answer, { 'retry-after': '0', location: '/elsewhere' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.after(() => close(server))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, bodies, close: () => close(server) }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
