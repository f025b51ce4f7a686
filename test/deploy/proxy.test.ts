// The proxy of docker-compose.yml, run for real in front of servers that misbehave on demand.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { guide } from './guide.ts'
import { ROOT, readRepositoryFile } from './repository.ts'

const FILE = 'deploy/haproxy.cfg'
/** Less than two events take, each time, where they are held back for more. */
const AT_ONCE_MS = 200
/** A machine may be busy for a while, but not through all of them. */
const PAIRS = 20

type Handle = (request: IncomingMessage, response: ServerResponse) => void
type Replica = {
  readonly server: Server
  readonly port: number
  ready: boolean
  handle: Handle
  /** What reached it, health checks left out. */
  readonly requests: { readonly line: string; readonly headers: IncomingMessage['headers'] }[]
}

async function startReplica(): Promise<Replica> {
  const requests: Replica['requests'] = []
  const server = createServer((request, response) => {
    if (request.url === '/health/ready') {
      response.writeHead(replica.ready ? 200 : 503).end()
      return
    }
    const { method, url, headers } = request
    requests.push({ line: `${method} ${url}`, headers })
    request.resume().on('end', () => replica.handle(request, response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const replica: Replica = { server, port, ready: true, handle: answer, requests }
  return replica
}

const answer: Handle = (_request, response) => {
  response.end('ok')
}
const breakOff: Handle = (request) => {
  request.socket.destroy()
}

describe('the proxy', { skip: !hasHaproxy() && 'needs haproxy' }, () => {
  let directory: string
  let replicas: [Replica, Replica]
  let proxy: ChildProcess
  let url: string
  let log = ''

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'proxy-'))
    replicas = [await startReplica(), await startReplica()]
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    // As it is, but for the addresses: here are no containers that Docker's DNS would know.
    const text = readRepositoryFile(FILE)
    const [template = '', name, checks = ''] =
      /^ {4}server-template (\w+) \S+ \S+ (check .+) resolvers .+$/m.exec(text) ?? []
    const servers = replicas.map(
      (one, i) => `    server ${name}${i} 127.0.0.1:${one.port} ${checks}`,
    )
    const configuration = text
      .replace('bind :8000', `bind 127.0.0.1:${port}`)
      .replace(template, servers.join('\n'))
    writeFileSync(join(directory, 'haproxy.cfg'), configuration)
    proxy = spawn('haproxy', ['-f', join(directory, 'haproxy.cfg')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const output of [proxy.stdout, proxy.stderr]) {
      output?.on('data', (chunk) => {
        log += chunk
      })
    }
    await until('the proxy answers', async () => {
      if (proxy.exitCode !== null) throw new Error(log)
      return (await statusOf('/')) === 200
    })
  })

  after(async () => {
    if (proxy.exitCode === null && proxy.signalCode === null) {
      const ended = once(proxy, 'exit')
      proxy.kill('SIGTERM')
      await ended
    }
    for (const { server } of replicas) {
      server.closeAllConnections()
      server.close()
    }
    rmSync(directory, { recursive: true, force: true })
  })

  beforeEach(async () => {
    for (const replica of replicas) Object.assign(replica, { ready: true, handle: answer })
    await until('both replicas are asked', () => reaches(2))
    for (const { requests } of replicas) requests.length = 0
  })

  const statusOf = (path: string, init: RequestInit = {}) =>
    fetch(url + path, init).then(
      async (response) => {
        await response.arrayBuffer()
        return response.status
      },
      () => 0,
    )

  /** Whether ten requests reach `count` replicas and all are answered. */
  const reaches = async (count: number) => {
    for (const { requests } of replicas) requests.length = 0
    for (let i = 0; i < 10; i += 1) if ((await statusOf('/')) !== 200) return false
    return replicas.filter(({ requests }) => requests.length > 0).length === count
  }
  const received = () => replicas.flatMap(({ requests }) => requests.map(({ line }) => line))

  test('has a configuration that it takes as it is', () => {
    execFileSync('haproxy', ['-c', '-f', join(ROOT, FILE)], { stdio: 'pipe' })
  })

  test('spreads requests evenly, and hands on for whom and for which host they are', async () => {
    for (let i = 0; i < 10; i += 1) await statusOf('/messages?q=hello')
    assert.deepEqual(
      replicas.map(({ requests }) => requests.length),
      [5, 5],
    )
    const [{ line, headers } = assert.fail()] = replicas[0].requests
    assert.equal(line, 'GET /messages?q=hello')
    assert.equal(headers.host, new URL(url).host)
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
  })

  test('leaves a replica out while it is not ready, and takes it in again', async () => {
    replicas[1].ready = false
    await until('one replica is asked', () => reaches(1))
    assert.equal(replicas[1].requests.length, 0)
    replicas[1].ready = true
    await until('both replicas are asked', () => reaches(2))
  })

  test('says when to try again where no replica is ready', async () => {
    for (const replica of replicas) replica.ready = false
    await until('nobody is asked', async () => (await statusOf('/')) === 503)
    const response = await fetch(`${url}/webhook`, { method: 'POST', body: '{}' })
    assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '5'])
    assert.deepEqual(await response.json(), { detail: 'No replica is ready. Try again.' })
  })

  test('hands a webhook to another replica when one breaks off', async () => {
    for (const path of ['/webhook', '/webhook/cloud-api']) {
      for (const replica of replicas) replica.requests.length = 0
      replicas[0].handle = breakOff
      const statuses = await Promise.all(
        Array.from({ length: 6 }, () => statusOf(path, { method: 'POST', body: '{}' })),
      )
      assert.deepEqual(new Set(statuses), new Set([200]))
      assert.ok(replicas[0].requests.length > 0)
    }
  })

  test('hands on webhooks as large as the guide says', async () => {
    const [, kilobytes] = /a webhook of up to (\d+) KB/.exec(guide) ?? []
    const body = 'x'.repeat(Number(kilobytes) * 1000)
    replicas[0].handle = breakOff
    for (let i = 0; i < 6; i += 1) {
      assert.equal(await statusOf('/webhook', { method: 'POST', body }), 200)
    }
    assert.ok(replicas[0].requests.length > 0)
  })

  test('repeats no other write that may have been done', async () => {
    for (const replica of replicas) replica.handle = breakOff
    // 502, or no answer where the connection had been used before.
    assert.ok([0, 502].includes(await statusOf('/other', { method: 'POST', body: '{}' })))
    assert.deepEqual(received(), ['POST /other'])
  })

  test('hands on each event of a stream at once', async () => {
    const { promise: first, resolve } = Promise.withResolvers<ServerResponse>()
    for (const replica of replicas) {
      replica.handle = (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
        resolve(response)
      }
    }
    const stream = await fetch(`${url}/events/stream`)
    const reader = stream.body?.getReader() ?? assert.fail()
    const response = await first
    const tookMs: number[] = []
    for (let pair = 0; pair < PAIRS; pair++) {
      const begun = performance.now()
      for (const event of [`id: ${2 * pair}\n\n`, `id: ${2 * pair + 1}\n\n`]) {
        response.write(event)
        const { value } = await reader.read()
        assert.equal(new TextDecoder().decode(value), event)
      }
      tookMs.push(performance.now() - begun)
    }
    assert.ok(Math.min(...tookMs) < AT_ONCE_MS, `after ${tookMs} ms`)
    response.end()
    assert.equal((await reader.read()).done, true)
  })

  test('logs neither queries nor bodies, and of paths what the service’s routes share', async () => {
    await statusOf('/messages?q=secret-words')
    await statusOf('/messages/secret-words')
    await statusOf('/conversations/secret-words/messages')
    await statusOf('/secret-words/events-secret-words')
    await statusOf('/webhook', { method: 'POST', body: 'secret-words' })
    await until('the request is logged', () => log.includes('POST /webhook 200'))
    for (const path of ['/messages', '/messages/…', '/conversations/…/messages', '/…/…']) {
      assert.ok(log.includes(` GET ${path} 200 `), `${path} in ${log}`)
    }
    assert.doesNotMatch(log, /secret-words/)
  })

  test('knows the parts of every route for its log', () => {
    const [, known = ''] = /\(\?!\(([\w.|-]+)\)/.exec(readRepositoryFile(FILE)) ?? []
    const routes = [...readRepositoryFile('README.md').matchAll(/^\| `[A-Z]+ \/(\S*)` \|/gm)]
    const parts = routes.flatMap(([, path = '']) => path.split('/'))
    const fixed = parts.filter((part) => !part.startsWith('{'))
    assert.deepEqual(known.split('|').toSorted(), [...new Set(fixed)].toSorted())
  })
})

function hasHaproxy(): boolean {
  try {
    execFileSync('haproxy', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
