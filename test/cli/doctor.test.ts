import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { UNFINISHED } from '../../src/app/store/sql/tables.ts'
import { SCHEMA_VERSION } from '../../src/app/store/sqlite/schema.ts'
import { batch, metaJson } from '../support/cloud-api.ts'
import { freePort } from '../support/free-port.ts'
import { startOpenService } from '../support/open-service.ts'
import { runCommand, startCommand } from '../support/run-command.ts'
import { post, type Service } from '../support/service.ts'
import { flatBody, SECRET, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

const environment = {
  META_APP_SECRET: '0123456789abcdef0123456789abcdef',
  META_VERIFY_TOKEN: 'canary-verify-token',
  DATABASE_URL: 'sqlite:///messages.db',
}

async function patient(
  test: TestContext,
  variables: Record<string, string> = {},
  ofService: Record<string, string> = {},
) {
  const cwd = temporaryDirectory(test)
  const service = await startOpenService(test, {
    cwd,
    environment: { ...environment, WEBHOOK_SECRET: '', ...ofService },
  })
  const doctor = (...args: string[]) =>
    runCommand(['doctor', '--url', service.url, ...args], {
      cwd,
      environment: { ...environment, ...variables },
    })
  return { cwd, service, doctor }
}

/** A proxy in front of the service that does something to bodies. */
async function proxy(test: TestContext, { url }: Service, change: (body: string) => string) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const sent = Buffer.concat(chunks).toString()
      const body = sent === '' ? '' : change(sent)
      const signatures = ['x-hub-signature-256', 'x-signature'].flatMap((name) => {
        const value = request.headers[name]
        return typeof value === 'string' ? [[name, value] as const] : []
      })
      const answer = await fetch(`${url}${request.url}`, {
        method: request.method ?? 'GET',
        ...(request.method === 'POST' ? { body } : {}),
        headers: Object.fromEntries(signatures),
      })
      response.writeHead(answer.status).end(await answer.text())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  test.after(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('doctor', { concurrency: 2 }, () => {
  it('finds nothing wrong where nothing is, also on the way from outside', async (test) => {
    const { service, doctor } = await patient(test)
    const { code, stdout } = await doctor('--public-url', `${service.url}/webhook`)
    assert.equal(code, 0, stdout)
    for (const line of [
      /^ok {5}META_APP_SECRET: is set\.$/m,
      new RegExp(`^ok {5}database: messages\\.db has schema ${SCHEMA_VERSION}\\.$`, 'm'),
      /^ok {5}service: runs and takes messages in\.$/m,
      /^ok {5}handshake from outside: the challenge came back\.$/m,
      /^ok {5}signed POST from outside \(cloud-api\): was accepted\.$/m,
      /^ok {5}POST with a wrong signature \((?:flat|cloud-api)\): was refused\.$/m,
      /the field "messages" is subscribed/,
    ]) {
      assert.match(stdout, line)
    }
    assert.doesNotMatch(stdout, /FAULT/)
  })

  it('finds a callback URL without a path, and tries the right one', async (test) => {
    const { service, doctor } = await patient(test)
    const { code, stdout } = await doctor('--public-url', service.url)
    assert.equal(code, 1)
    const finding = `FAULT  public URL: has no path: enter ${service.url}/webhook, which is tried here.`
    assert.ok(stdout.split('\n').includes(finding), stdout)
    assert.match(stdout, /^ok {5}handshake from outside/m)
    assert.match(stdout, /^ok {5}signed POST from outside/m)
  })

  it('takes nothing that it sent itself for evidence', async (test) => {
    const both = { WEBHOOK_SECRET: SECRET }
    const { service, doctor } = await patient(test, both, both)
    const first = await doctor('--public-url', `${service.url}/webhook`)
    assert.equal(first.code, 0, first.stdout)
    const { stdout } = await doctor()
    assert.match(stdout, /^check {2}handshake: none since the service started/m)
    assert.match(stdout, /^check {2}delivery \(cloud-api\): none accepted/m)
    assert.match(stdout, /^check {2}delivery \(flat\): none accepted/m)
    assert.match(stdout, /^ok {5}refused requests: none are known\.$/m)
  })

  it('finds a proxy that rewrites bodies', async (test) => {
    const { service, doctor } = await patient(test)
    const rewriting = await proxy(test, service, (body) => JSON.stringify(JSON.parse(body)))
    const { code, stdout } = await doctor('--public-url', `${rewriting}/webhook`)
    assert.equal(code, 1)
    assert.match(
      stdout,
      /^FAULT {2}signed POST from outside \(cloud-api\): was refused: something on the way/m,
    )
    const again = await doctor()
    assert.match(again.stdout, /^check {2}refused requests: .*cloud-api: /m)
  })

  it('names a database that is a copy that is not complete', async (test) => {
    const { cwd, service, doctor } = await patient(test)
    await service.stop()
    const database = new DatabaseSync(join(cwd, 'messages.db'))
    database.prepare('update store set identity = identity || ?').run(UNFINISHED)
    database.close()
    const { code, stdout } = await doctor()
    assert.equal(code, 1)
    assert.match(
      stdout,
      /^FAULT {2}database: messages\.db is a copy that is not complete: run migrate-store again\.$/m,
    )
  })

  it('finds another verify token, another secret and a service that does not run', async (test) => {
    const { service, doctor } = await patient(test, {
      META_VERIFY_TOKEN: 'another',
      META_APP_SECRET: 'f'.repeat(32),
    })
    const { code, stdout } = await doctor('--public-url', `${service.url}/webhook`)
    assert.equal(code, 1)
    assert.match(stdout, /^FAULT {2}handshake from outside: was answered 403/m)
    assert.match(stdout, /^FAULT {2}signed POST from outside/m)
    await service.stop()
    const stopped = await doctor()
    assert.equal(stopped.code, 1)
    assert.match(stopped.stdout, /^FAULT {2}service: .* gave no answer \(ECONNREFUSED\)\.$/m)
  })

  it('says what a service that runs lacks to take messages in, and what arrived before', async (test) => {
    const none = { META_APP_SECRET: '', META_VERIFY_TOKEN: '' }
    const unconfigured = await patient(test, none, none)
    const { code, stdout } = await unconfigured.doctor()
    assert.equal(code, 1)
    assert.match(stdout, /^FAULT {2}service: runs without a secret, and takes nothing in\.$/m)
    assert.match(stdout, /^ok {5}refused requests: none are known\.$/m)

    const flat = { WEBHOOK_SECRET: SECRET }
    const { cwd, service, doctor } = await patient(test, flat, flat)
    const other = new DatabaseSync(join(cwd, 'messages.db'))
    test.after(() => other.close())
    other.exec('begin immediate')
    const body = toBytes(flatBody())
    assert.equal((await post(service, body, signature(body))).status, 503)
    const locked = await doctor()
    other.exec('rollback')
    assert.match(
      locked.stdout,
      /^FAULT {2}service: runs, and its database takes no messages now: its log says why, in the line "not ready"\.$/m,
    )
    assert.match(locked.stdout, /^check {2}delivery \(cloud-api\): none accepted/m)
  })

  it('takes no other program for the service', async (test) => {
    const { doctor } = await patient(test)
    let answer = ''
    const other = createServer((_, response) => void response.end(answer))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    test.after(() => void other.close())
    const { port } = other.address() as AddressInfo
    const named = new RegExp(
      `^FAULT {2}service: (127.0.0.1:${port} )?gave an answer that is none of this service\\.$`,
      'm',
    )
    for (answer of ['<html>', 'null', '{"status":"UP","checks":[{"name":"db"}]}']) {
      const { stdout } = await doctor('--url', `http://127.0.0.1:${port}`)
      assert.match(stdout, named)
      assert.doesNotMatch(stdout, /without a secret|takes no messages|Cannot/)
    }
  })

  it('tells the cause of the last refusal', async (test) => {
    const { service, doctor } = await patient(test)
    await fetch(`${service.url}/webhook/cloud-api`, { method: 'POST', body: metaJson(batch()) })
    const { code, stdout } = await doctor()
    assert.equal(code, 0)
    assert.match(stdout, /^check {2}refused requests: .* header_missing\. /m)
  })

  it('reads with the key that the service generated, and says what is missing without it', async (test) => {
    const keys = { READ_ACCESS: 'keys' }
    const { cwd, doctor } = await patient(test, {}, keys)
    const { code, stdout } = await doctor()
    assert.equal(code, 0)
    assert.match(stdout, /^ok {5}refused requests: none are known\.$/m)
    rmSync(join(cwd, 'api-key'))
    const without = await doctor()
    assert.match(without.stdout, /^check {2}what arrived: Reading needs a key: .*api-key/m)
  })

  it('names a database that is no regular file', async (test) => {
    const cwd = temporaryDirectory(test)
    const variables = { ...environment, DATABASE_URL: `sqlite:///${cwd}`, PORT: '1' }
    const { stdout } = await runCommand(['doctor'], { cwd, environment: variables })
    const finding = `FAULT  database: ${cwd} can't be read: It is no regular file.`
    assert.ok(stdout.split('\n').includes(finding), stdout)
  })

  it('finds that nothing is configured', async (test) => {
    const cwd = temporaryDirectory(test)
    const { code, stdout } = await runCommand(['doctor'], { cwd, environment: { PORT: '1' } })
    assert.equal(code, 1)
    assert.match(stdout, /^FAULT {2}META_APP_SECRET: is not set, nor is WEBHOOK_SECRET/m)
    assert.doesNotMatch(stdout, /META_VERIFY_TOKEN|Meta's dashboard/)
  })

  it('misses a verify token only where there is an app secret', async (test) => {
    const cwd = temporaryDirectory(test)
    const { META_APP_SECRET } = environment
    const options = { cwd, environment: { PORT: '1', META_APP_SECRET } }
    const { stdout } = await runCommand(['doctor'], options)
    assert.match(stdout, /^FAULT {2}META_VERIFY_TOKEN: is not set/m)
  })

  it('finds nothing wrong where only the flat format is taken in, and stores nothing', async (test) => {
    const cwd = temporaryDirectory(test)
    const flat = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite:///messages.db' }
    const service = await startOpenService(test, { cwd, environment: flat })
    const doctor = (...args: string[]) =>
      runCommand(['doctor', '--url', service.url, ...args], { cwd, environment: flat })
    const before = await doctor()
    assert.equal(before.code, 0, before.stdout)
    assert.match(before.stdout, /^check {2}delivery \(flat\): none accepted since/m)
    const body = toBytes(flatBody())
    assert.equal((await post(service, body, signature(body))).status, 200)
    const { code, stdout } = await doctor('--public-url', `${service.url}/webhook`)
    assert.equal(code, 0, stdout)
    for (const line of [
      /^ok {5}WEBHOOK_SECRET: is set\.$/m,
      /^ok {5}delivery \(flat\): the last one was accepted /m,
      /^ok {5}signed POST from outside \(flat\): was read, and refused for what is in it, as it should be\.$/m,
      /^ok {5}POST with a wrong signature \((?:flat|cloud-api)\): was refused\.$/m,
    ]) {
      assert.match(stdout, line)
    }
    assert.doesNotMatch(stdout, /FAULT|META_VERIFY_TOKEN|handshake|cloud-api|Meta's dashboard/)
    const events = await (await fetch(`${service.url}/events`)).json()
    assert.equal((events as { data: unknown[] }).data.length, 1)
  })

  it('finds a proxy that rewrites bodies of the flat format too', async (test) => {
    const cwd = temporaryDirectory(test)
    const flat = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite:///messages.db' }
    const service = await startOpenService(test, { cwd, environment: flat })
    const rewriting = await proxy(test, service, (body) => JSON.stringify(JSON.parse(body)))
    const args = ['doctor', '--url', service.url, '--public-url', `${rewriting}/webhook`]
    const { code, stdout } = await runCommand(args, { cwd, environment: flat })
    assert.equal(code, 1)
    assert.match(
      stdout,
      /^FAULT {2}signed POST from outside \(flat\): was refused: something on the way/m,
    )
  })

  it('tries both formats from outside where both are configured', async (test) => {
    const both = { WEBHOOK_SECRET: SECRET }
    const { service, doctor } = await patient(test, { WEBHOOK_SECRET: 'another' }, both)
    const { code, stdout } = await doctor('--public-url', `${service.url}/webhook`)
    assert.equal(code, 1)
    assert.match(stdout, /^ok {5}signed POST from outside \(cloud-api\): was accepted\.$/m)
    assert.match(stdout, /^FAULT {2}signed POST from outside \(flat\): was refused/m)
  })

  it("does not miss the flat format on Meta's own path", async (test) => {
    const both = { WEBHOOK_SECRET: SECRET }
    const { service, doctor } = await patient(test, both, both)
    const { code, stdout } = await doctor('--public-url', `${service.url}/webhook/cloud-api`)
    assert.equal(code, 0, stdout)
    assert.match(stdout, /^ok {5}signed POST from outside \(cloud-api\): was accepted\.$/m)
    assert.match(stdout, /^– {6}signed POST from outside \(flat\): not tried: /m)
  })

  it('tells what was delivered last in each format that is configured', async (test) => {
    const both = { WEBHOOK_SECRET: SECRET }
    const { doctor } = await patient(test, both, both)
    const { stdout } = await doctor()
    assert.match(stdout, /^check {2}delivery \(cloud-api\): none accepted/m)
    assert.match(stdout, /^check {2}delivery \(flat\): none accepted/m)
  })
})

describe('demo', () => {
  it('shows the service at work, and leaves nothing behind', async (test) => {
    const cwd = temporaryDirectory(test)
    const environment = { PORT: '0' }
    const args = ['demo', '--count', '100', '--rate', '1000', '--exit']
    const { code, stdout, stderr } = await runCommand(args, { cwd, environment })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /The demo listens on http:\/\/localhost:\d+/)
    assert.match(stdout, /^answers {2}200 × \d+$/m)
  })

  it('listens on the PORT of .env', async (test) => {
    const cwd = temporaryDirectory(test)
    const port = await freePort()
    writeFileSync(join(cwd, '.env'), `PORT=${port}\n`)
    const args = ['demo', '--count', '5', '--exit']
    const { code, stderr } = await runCommand(args, { cwd })
    assert.equal(code, 0, stderr)
    assert.match(stderr, new RegExp(`^The demo listens on http://localhost:${port},`, 'm'))
  })

  it('removes its database when it is stopped', async (test) => {
    const cwd = temporaryDirectory(test)
    const environment = { PORT: '0', TMPDIR: cwd }
    const { child, result } = startCommand(['demo'], { cwd, environment })
    await until('the demo has begun', () => readdirSync(cwd).length > 0)
    await new Promise((resolve) => child.stderr?.once('data', resolve))
    child.kill('SIGTERM')
    const { code, stderr } = await result
    assert.equal(code, 0)
    assert.doesNotMatch(stderr, /Not every request/)
    assert.deepEqual(readdirSync(cwd), [])
  })

  it('removes its database when it is stopped before it listens', async (test) => {
    const cwd = temporaryDirectory(test)
    const environment = { PORT: '0', TMPDIR: cwd }
    const { child, result } = startCommand(['demo'], { cwd, environment })
    await until('the demo has begun', () => readdirSync(cwd).length > 0)
    child.kill('SIGTERM')
    assert.equal((await result).code, 0)
    assert.deepEqual(readdirSync(cwd), [])
  })

  it('goes on when the reader of its stderr goes away, and removes its database', async (test) => {
    const cwd = temporaryDirectory(test)
    const environment = { PORT: '0', TMPDIR: cwd }
    const args = ['demo', '--count', '100', '--rate', '1000', '--exit']
    const { child, result } = startCommand(args, { cwd, environment })
    child.stderr?.destroy()
    const { code, stdout } = await result
    assert.equal(code, 0)
    assert.match(stdout, /^answers {2}200 × \d+$/m)
    assert.deepEqual(readdirSync(cwd), [])
  })

  it('removes its database when its terminal is closed', async (test) => {
    const cwd = temporaryDirectory(test)
    const environment = { PORT: '0', TMPDIR: cwd }
    const { child, result } = startCommand(['demo'], { cwd, environment })
    await new Promise((resolve) => child.stderr?.once('data', resolve))
    child.kill('SIGHUP')
    assert.equal((await result).code, 0)
    assert.deepEqual(readdirSync(cwd), [])
  })

  it('removes its database when somebody will not wait for its end', async (test) => {
    const cwd = temporaryDirectory(test)
    const environment = { PORT: '0', TMPDIR: cwd }
    const { child, result } = startCommand(['demo'], { cwd, environment })
    const said = await new Promise<string>((resolve) => child.stderr?.once('data', resolve))
    const [, port] = /localhost:(\d+)/.exec(said) ?? []
    // A request that does not end: without impatience the demo would wait for it.
    const socket = connect(Number(port), '127.0.0.1')
    test.after(() => void socket.destroy())
    socket.on('error', () => {})
    const head = ['POST /webhook HTTP/1.1', 'Host: localhost', 'Content-Length: 9']
    socket.write(`${[...head, 'Expect: 100-continue'].join('\r\n')}\r\n\r\n`)
    await once(socket, 'data')
    const impatience = setInterval(() => child.kill('SIGINT'), 20)
    test.after(() => clearInterval(impatience))
    assert.equal((await result).code, 1)
    assert.deepEqual(readdirSync(cwd), [])
  })
})
