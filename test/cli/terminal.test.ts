// Commands on a real terminal, with texts and answers of strangers that try to steer it.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fillDatabase } from '../support/filled-database.ts'
import { runCommand } from '../support/run-command.ts'
import { flatBody } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const HOSTILE = 'a\u001b]0;owned\u0007\u001b[2J\u009b31m\rb\u202ec'
const SHOWN = 'a\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m\\u000db\\u202ec'
const STEERING = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u

// That of the BSDs has other options, and prints no version.
const version = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? ''
const noTerminal = version.includes('util-linux') ? false : 'needs the script of util-linux'

type Environment = Readonly<Record<string, string>>

/** What a command writes to a terminal of its own, in lines. */
async function onTerminal(
  args: readonly string[],
  { cwd, environment = {} }: { cwd: string; environment?: Environment },
): Promise<readonly string[]> {
  const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd,
    env: { PATH: process.env['PATH'], TERM: 'dumb', NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // A terminal has a line end of its own, and what draws progress is ours.
  const written = (await textOf(child.stdout)).replaceAll('\r\u001b[K', '')
  return written.split(/\r*\n/)
}

function assertHarmless(lines: readonly string[]): void {
  for (const line of lines) assert.doesNotMatch(line, STEERING)
}

/** A service that answers every query with this, and takes every webhook. */
async function openService(t: TestContext, answer: string): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    response.end(request.method === 'GET' ? answer : '{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('export shows on a terminal what steers it, and gives a pipe the text', {
  skip: noTerminal,
}, async (t) => {
  const cwd = temporaryDirectory(t)
  const body = flatBody({ message_id: 'one', text: HOSTILE })
  const file = join(cwd, 'messages.db')
  await fillDatabase(file, [body])
  const args = ['export', '--database', `sqlite:///${file}`, '--format']

  const ndjson = await onTerminal([...args, 'ndjson'], { cwd })
  assertHarmless(ndjson)
  assert.equal((JSON.parse(ndjson[0] ?? '') as typeof body).text, HOSTILE)
  const csv = await onTerminal([...args, 'csv'], { cwd })
  assertHarmless(csv)
  assert.equal(csv[1], `one,${body.from},${body.to},${body.ts},"${SHOWN}"`)

  const piped = await runCommand([...args, 'csv'], { cwd })
  assert.ok(piped.stdout.includes(HOSTILE))
  assert.ok((await runCommand([...args, 'ndjson'], { cwd })).stdout.includes('\u009b31m'))
})

test('an answer from the network can not steer a terminal either', {
  skip: noTerminal,
}, async (t) => {
  const cwd = temporaryDirectory(t)
  const [url, talking] = [
    await openService(t, HOSTILE),
    await openService(t, JSON.stringify({ detail: HOSTILE })),
  ]
  const environment = { META_APP_SECRET: 'a'.repeat(32), API_KEYS: `reader:${'k'.repeat(32)}` }
  const simulated = await onTerminal(
    ['simulate', '--count', '1', '--seed', 'a', '--verify', '--url', url],
    { cwd, environment },
  )
  assert.ok(
    simulated.some((line) => line.includes('an answer that is none of this service')),
    simulated.join('\n'),
  )
  assertHarmless(simulated)
  const looked = await onTerminal(['doctor', '--url', talking], { cwd, environment })
  assert.ok(
    looked.some((line) => line.startsWith('FAULT  service: a\\u{1b}]0;owned')),
    looked.join('\n'),
  )
  assertHarmless(looked)
})
