import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MIGRATION_LOCK } from '../../src/app/store/postgres/locks.ts'
import { newDatabase } from '../support/databases.ts'
import { ENGINES, type Engine } from '../support/engines.ts'
import { freePort } from '../support/free-port.ts'
import { HELD_MS, heldBriefly } from '../support/held-briefly.ts'
import { connectFor, isLockAwaited } from '../support/postgres-stores.ts'
import { spawnMain } from '../support/run-command.ts'
import { launch, post, type Service, startService } from '../support/service.ts'
import { CANARY, flatBody, SECRET, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const OPEN = { WEBHOOK_SECRET: SECRET, READ_ACCESS: 'open' }

async function send(service: Pick<Service, 'url'>, id: string): Promise<number> {
  const body = toBytes(flatBody({ message_id: id }))
  return (await post(service, body, signature(body))).status
}

async function settingOn(engine: Engine, cwd: string) {
  const database = await engine.newDatabase(cwd)
  return { database, environment: { ...OPEN, DATABASE_URL: database.url } }
}

type Moment = {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly service: Service
  readonly release: () => Promise<void>
  /** Resolves when so many requests wait for the writer, or can't any more. */
  readonly queued: (count: number) => Promise<void>
  /** From here on it does not matter any more how long it is held; at the latest when released. */
  readonly decided: () => void
}

/** What is seen of a service while its writer is held, not for too long: see heldBriefly. */
async function whileHeld<Seen>(
  t: TestContext,
  engine: Engine,
  more: Readonly<Record<string, string>>,
  look: (moment: Moment) => Promise<Seen>,
): Promise<Seen> {
  const { seen } = await heldBriefly(async () => {
    const cwd = temporaryDirectory(t)
    const { database, environment } = await settingOn(engine, cwd)
    const service = await startService(t, { cwd, environment: { ...environment, ...more } })
    const release = await database.holdWriter()
    t.after(release)
    const begun = performance.now()
    let decidedMs: number | null = null
    const decided = () => {
      decidedMs ??= performance.now() - begun
    }
    const seen = await look({
      ...{ cwd, environment, service, decided },
      release: async () => {
        await release()
        decided()
      },
      queued: (count) =>
        until('the requests are in the queue', async () => {
          const metrics = await (await fetch(`${service.url}/metrics`)).text()
          const isTooLate = performance.now() - begun >= HELD_MS
          return metrics.includes(`write_queue_requests ${count}\n`) || isTooLate
        }),
    })
    return { seen, heldMs: decidedMs ?? Number.POSITIVE_INFINITY }
  })
  return seen
}

for (const engine of ENGINES) {
  test(`${engine.name}: SIGTERM answers what is in flight, commits it and ends with 0`, async (t) => {
    const { statuses, ended, cwd, environment } = await whileHeld(t, engine, {}, async (moment) => {
      const { service, release, queued } = moment
      const inFlight = Array.from({ length: 200 }, (_, i) => send(service, `in-flight-${i}`))
      await queued(200)
      service.signal('SIGTERM')
      await service.logged('shutting down')
      await assert.rejects(send(service, 'too-late'), 'nothing new is accepted')
      await release()
      return { ...moment, statuses: await Promise.all(inFlight), ended: await service.ended }
    })
    assert.deepEqual(new Set(statuses), new Set([200]))
    assert.deepEqual(ended, { code: 0, signal: null })
    const again = await startService(t, { cwd, environment })
    const list = (await (await fetch(`${again.url}/messages`)).json()) as { total: number }
    assert.equal(list.total, 200)
  })

  test(`${engine.name}: a second signal ends the process at once`, async (t) => {
    const patient = { SHUTDOWN_TIMEOUT: '600' }
    const { code, status } = await whileHeld(t, engine, patient, async (moment) => {
      const { service, release, queued, decided } = moment
      const inFlight = send(service, 'abandoned').catch(() => 0)
      await queued(1)
      service.signal('SIGINT')
      await service.logged('shutting down')
      decided()
      const impatience = setInterval(() => service.signal('SIGINT'), 50)
      const { code } = await service.ended
      clearInterval(impatience)
      await release()
      return { code, status: await inFlight }
    })
    assert.equal(code, 1)
    assert.notEqual(status, 200)
  })

  test(`${engine.name}: one that comes twice at once, to the process and to its group, is one`, async (t) => {
    const { status, ended } = await whileHeld(t, engine, {}, async (moment) => {
      const { service, release, queued } = moment
      const inFlight = send(service, 'answered')
      await queued(1)
      // While it stands still, so that nothing comes between them. Two of the same kind can be one
      // for the system too.
      for (const signal of ['SIGSTOP', 'SIGTERM', 'SIGINT', 'SIGCONT'] as const) {
        service.signal(signal)
      }
      await release()
      return { status: await inFlight, ended: await service.ended }
    })
    assert.equal(status, 200)
    assert.deepEqual(ended, { code: 0, signal: null })
  })

  test(`${engine.name}: what is not done by SHUTDOWN_TIMEOUT is given up, and the exit code says so`, async (t) => {
    const impatient = { SHUTDOWN_TIMEOUT: '0' }
    const { code, status } = await whileHeld(t, engine, impatient, async (moment) => {
      const { service, release, queued, decided } = moment
      const inFlight = send(service, 'abandoned').catch(() => 0)
      await queued(1)
      service.signal('SIGTERM')
      decided()
      const { code } = await service.ended
      await release()
      return { code, status: await inFlight }
    })
    assert.equal(code, 1)
    assert.notEqual(status, 200)
  })

  test(`${engine.name}: a restart keeps everything, and a message of before is a duplicate`, async (t) => {
    const cwd = temporaryDirectory(t)
    const { environment } = await settingOn(engine, cwd)
    const first = await startService(t, { cwd, environment })
    assert.equal(await send(first, 'kept'), 200)
    const stats = await (await fetch(`${first.url}/stats`)).json()
    await first.stop()
    const second = await startService(t, { cwd, environment })
    assert.equal(await send(second, 'kept'), 200)
    assert.deepEqual(await (await fetch(`${second.url}/stats`)).json(), stats)
    await second.stop()
    assert.ok(second.log.some(({ message_id, dup }) => message_id === 'kept' && dup === true))
  })
}

test('SIGTERM ends a start that waits for another replica, with 0: nothing is in flight yet', async (t) => {
  const cwd = temporaryDirectory(t)
  const url = await newDatabase()
  const client = await connectFor(t, url)
  await client.query(`begin; select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
  const service = launch(t, { cwd, environment: { ...OPEN, DATABASE_URL: url } })
  await until('it waits for the lock', () => isLockAwaited(client))
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
  assert.deepEqual(
    service.log.map(({ msg, signal }) => [msg, signal]),
    [['stopped before it listened', 'SIGTERM']],
  )
})

test('a temporary database leaves nothing behind, nor does its key', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite://', TMPDIR: cwd }
  const service = await startService(t, { cwd, environment })
  assert.equal(await send(service, 'for-now'), 200)
  await service.logged('API_KEYS is not set; the key for reading is in this file')
  const kept = readdirSync(cwd).filter((name) => name.startsWith('whatsapp-webhook-'))
  assert.equal(kept.length, 2)
  await service.stop()
  assert.deepEqual(
    kept.filter((name) => existsSync(join(cwd, name))),
    [],
  )
})

test('the first start writes a key for reading beside the database, and logs its path only', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = { WEBHOOK_SECRET: SECRET }
  const first = await startService(t, { cwd, environment })
  const file = join(cwd, 'data', 'api-key')
  const key = readFileSync(file, 'utf8').trim()
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(join(cwd, 'data')).mode & 0o777, 0o700)
  const read = (url: string, authorization: string) =>
    fetch(`${url}/messages`, { headers: { authorization } })
  assert.equal((await read(first.url, `Bearer ${key}`)).status, 200)
  assert.equal((await read(first.url, 'Bearer wrong')).status, 401)
  await first.stop()
  assert.ok(first.log.some((entry) => entry['file'] === file))
  assert.ok(!first.stdout.includes(key))
  const second = await startService(t, { cwd, environment })
  assert.equal((await read(second.url, `Bearer ${key}`)).status, 200)
})

test('every line of the log is JSON, and none holds a secret, a text or a number', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = { ...OPEN, LOG_LEVEL: 'trace' }
  const service = await startService(t, { cwd, environment })
  await send(service, 'logged')
  await fetch(`${service.url}/messages?q=${CANARY.text}&from=${CANARY.from}`)
  await fetch(`${service.url}/nowhere?secret=${SECRET}`)
  await post(service, toBytes(flatBody()), 'wrong')
  await service.stop()
  const entries = service.log.filter((entry) => 'status' in entry)
  assert.deepEqual(
    entries.map(({ method, path, status, level }) => [method, path, status, level]),
    [
      ['POST', '/webhook', 200, 'info'],
      ['GET', '/messages', 200, 'info'],
      ['GET', '/…', 404, 'info'],
      ['POST', '/webhook', 401, 'error'],
    ],
  )
  for (const canary of [SECRET, CANARY.text, CANARY.from]) {
    assert.ok(!`${service.stdout}${service.stderr}`.includes(canary), canary)
  }
})

for (const format of ['json', 'text']) {
  test(`a reader of the log (${format}) that goes away stops neither the service nor its end`, async (t) => {
    const cwd = temporaryDirectory(t)
    const service = await startService(t, { cwd, environment: { ...OPEN, LOG_FORMAT: format } })
    service.closeStdout()
    for (let i = 0; i < 20; i++) assert.equal(await send(service, `unlogged-${i}`), 200)
    assert.deepEqual(await service.stop(), { code: 0, signal: null })
  })
}

test('a reader of stderr that goes away stops neither the service nor its end', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = { ...OPEN, HOST: '127.0.0.1', PORT: String(await freePort()) }
  const service = launch(t, { cwd, environment, args: ['serve', '--init'] })
  service.closeStderr()
  await service.logged('listening')
  const url = `http://127.0.0.1:${environment.PORT}`
  for (let i = 0; i < 20; i++) assert.equal(await send({ url }, `unheard-${i}`), 200)
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
})

for (const format of ['json', 'text']) {
  test(`a log (${format}) that can not be written, as on a full disk, stops neither`, async (t) => {
    const cwd = temporaryDirectory(t)
    writeFileSync(join(cwd, 'log'), '')
    const readOnly = openSync(join(cwd, 'log'), 'r')
    const environment = {
      ...OPEN,
      ...{ HOST: '127.0.0.1', PORT: String(await freePort()), LOG_FORMAT: format },
    }
    const child = spawnMain(['serve'], { cwd, environment }, ['ignore', readOnly, 'ignore'])
    t.after(() => void child.kill('SIGKILL'))
    const ended = once(child, 'close')
    closeSync(readOnly)
    const url = `http://127.0.0.1:${environment.PORT}`
    await until('it is ready', async () => {
      const answer = await fetch(`${url}/health/ready`).catch(() => null)
      return answer?.status === 200
    })
    for (let i = 0; i < 20; i++) assert.equal(await send({ url }, `unwritten-${i}`), 200)
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  })
}

test('LOG_FORMAT=text writes lines for people', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = { ...OPEN, LOG_FORMAT: 'text' }
  const service = await startService(t, { cwd, environment })
  await send(service, 'readable')
  await service.stop()
  assert.throws(() => service.log)
  assert.match(service.stdout, /INFO.*listening/)
  assert.match(service.stdout, /readable/)
})

const oldNode = olderNode()

test('a Node.js that is too old says so in one line', {
  skip: oldNode === null ? 'there is no older Node.js on this machine' : false,
}, () => {
  const { status, stderr, stdout } = spawnSync(oldNode ?? '', [MAIN, 'serve'], { encoding: 'utf8' })
  assert.equal(status, 78)
  assert.equal(stdout, '')
  assert.match(stderr, /^This service needs Node\.js 24\.15 or newer, and this is v\d+[^\n]*\n$/)
})

/** A Node.js older than 24 on the PATH, outside this package. */
function olderNode(): string | null {
  for (const directory of (process.env['PATH'] ?? '').split(':')) {
    if (directory.includes('node_modules')) continue
    try {
      const file = join(directory, 'node')
      const version = execFileSync(file, ['--version'], { encoding: 'utf8' })
      if (Number(/^v(\d+)/.exec(version)?.[1]) < 24) return file
    } catch {
      // Not there.
    }
  }
  return null
}
