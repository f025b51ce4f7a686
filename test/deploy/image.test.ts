// The Dockerfile's own commands on a clean copy of the repository: no engine is needed, and the
// process runs as the image would run it, as another user on files that can't be written.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'

import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SETTING_DOCS } from '../../src/app/config.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { buildImage, environmentOf, type Image, parseDockerfile } from './dockerfile.ts'
import { ROOT, readRepositoryFile, repositoryFiles } from './repository.ts'

const stages = parseDockerfile(readRepositoryFile('Dockerfile'))
const isRoot = process.getuid?.() === 0
/** Only root may become somebody else; for anybody else the files are read-only all the same. */
const user = isRoot
  ? { uid: 1000, gid: 1000 }
  : { uid: process.getuid?.() ?? 1000, gid: process.getgid?.() ?? 1000 }
const STARTED_IN_MS = 20_000

/** Paths of the repository that .dockerignore lets into the build. */
function contextFiles(): string[] {
  const [first, ...allowed] = readRepositoryFile('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(first, '*', 'everything is left out that is not named')
  const names = allowed.map((line) => line.replace(/^!/, ''))
  return repositoryFiles().filter((file) =>
    names.some((name) => file === name || file.startsWith(`${name}/`)),
  )
}

function readOnly(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isSymbolicLink()) chmodSync(path, statSync(path).mode & 0o555)
  }
  chmodSync(directory, 0o555)
}

function writable(directory: string): void {
  chmodSync(directory, 0o755)
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o755)
  }
}

/** The status of a check, such as "ready"; 0 where nothing answers. */
function statusOf(port: string | number, check: string): Promise<number> {
  return fetch(`http://127.0.0.1:${port}/health/${check}`).then(
    ({ status }) => status,
    () => 0,
  )
}

async function becomesLive(port: string): Promise<void> {
  await until('it is live', async () => (await statusOf(port, 'live')) === 200)
}

describe('the image', () => {
  let directory: string
  let image: Image
  let application: string
  let env: Record<string, string>
  let port: number
  let service: ChildProcess
  let stdout = ''
  let stderr = ''
  const secret = randomBytes(32).toString('hex')

  // As on a host that would keep the memory of a crash, wherever this test may allow that.
  const asOnAHost = ['-c', 'ulimit -S -c "$(ulimit -H -c)" && exec "$@"', 'sh']
  const start = (command: readonly string[], more: Record<string, string> = {}) =>
    spawn('/bin/sh', [...asOnAHost, ...command], {
      cwd: application,
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(isRoot ? user : {}),
    })

  const healthCheck = async (more: Record<string, string>) => {
    const [code] = await once(start(image.healthCheck, more), 'exit')
    return code
  }

  before(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'image-')))
    chmodSync(directory, 0o755)
    const context = join(directory, 'context')
    for (const file of contextFiles()) cpSync(join(ROOT, file), join(context, file))
    // The base image's Node, where another user may run it.
    const bin = join(directory, 'bin')
    mkdirSync(bin)
    copyFileSync(process.execPath, join(bin, 'node'))
    chmodSync(join(bin, 'node'), 0o755)
    const path = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter)
    image = buildImage(stages, { context, directory, user, path })
    application = join(image.root, image.workdir)
    readOnly(application)
    port = await freePort()
    const temporary = join(directory, 'temporary')
    mkdirSync(temporary, { mode: 0o700 })
    if (isRoot) chownSync(temporary, user.uid, user.gid)
    env = {
      PATH: bin,
      TMPDIR: temporary,
      PORT: String(port),
      HOST: '127.0.0.1',
      WEBHOOK_SECRET: secret,
      ...environmentOf(image),
    }
    service = start(image.command)
    service.stdout?.on('data', (chunk) => {
      stdout += chunk
    })
    service.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
  })

  after(async () => {
    if (service?.exitCode === null && service.signalCode === null) {
      service.kill('SIGKILL')
      await once(service, 'exit')
    }
    if (application !== undefined) writable(application)
    rmSync(directory, { recursive: true, force: true })
  })

  test('starts as a user who is not root, from files that cannot be written, and becomes ready', async () => {
    const deadline = Date.now() + STARTED_IN_MS
    let status = 0
    while (status !== 200 && Date.now() < deadline && service.exitCode === null) {
      status = await statusOf(port, 'ready')
      if (status !== 200) await sleep(50)
    }
    assert.equal(status, 200, `not ready:\n${stdout}${stderr}`)
    if (isRoot && process.platform === 'linux') {
      assert.equal(statSync(`/proc/${service.pid}`).uid, user.uid)
    }
  })

  test('leaves no memory on the disk of its host where it crashes', () => {
    if (process.platform !== 'linux') return
    const limits = readFileSync(`/proc/${service.pid}/limits`, 'utf8')
    assert.match(limits, /^Max core file size +0 +0 /m)
  })

  test('stores a signed message and keeps its files for its user alone', async () => {
    const body = JSON.stringify({
      message_id: 'image-1',
      from: '+14155550100',
      to: '+14155550101',
      ts: '2025-01-15T10:00:00Z',
    })
    const answer = await fetch(`http://127.0.0.1:${port}/webhook`, {
      method: 'POST',
      headers: { 'x-signature': createHmac('sha256', secret).update(body).digest('hex') },
      body,
    })
    assert.deepEqual([answer.status, await answer.json()], [200, { status: 'ok' }])
    const data = join(image.root, 'data')
    assert.equal(statSync(data).mode & 0o777, 0o700)
    assert.ok(readdirSync(data).includes('messages.db'))
    for (const file of readdirSync(data)) {
      assert.equal(statSync(join(data, file)).mode & 0o077, 0, `${file} is for its user alone`)
    }
  })

  test('has a health check that ends with 0 while the service is ready', async () => {
    assert.equal(await healthCheck({}), 0)
  })

  test('has a health check that ends with 1 where nothing listens', async () => {
    assert.equal(await healthCheck({ PORT: String(await freePort()) }), 1)
  })

  test('has a health check that ends with 1 while the service runs and is not ready', async () => {
    const other = String(await freePort())
    const memory = { PORT: other, WEBHOOK_SECRET: '', DATABASE_URL: 'sqlite://' }
    const unready = start(image.command, memory)
    const ended = once(unready, 'exit')
    try {
      await becomesLive(other)
      assert.equal(await healthCheck({ PORT: other }), 1)
    } finally {
      unready.kill('SIGKILL')
      await ended
    }
  })

  test('compiles nothing when it starts', async () => {
    const other = String(await freePort())
    const told = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE', PORT: other, DATABASE_URL: 'sqlite://' }
    const starting = start(image.command, told)
    let log = ''
    starting.stderr?.on('data', (chunk) => {
      log += chunk
    })
    const ended = once(starting, 'exit')
    await becomesLive(other)
    starting.kill('SIGTERM')
    await ended
    assert.match(log, /retrieving transpile cache for .*writer-thread\.ts\.\.\.success/)
    assert.doesNotMatch(log, /no transpile cache for/)
  })

  test('ends with 0 on the signal that the engine sends', async () => {
    const signal = stages.at(-1)?.instructions.find(({ name }) => name === 'STOPSIGNAL')?.text
    const ended = once(service, 'exit')
    service.kill(signal as NodeJS.Signals)
    const [code] = await ended
    assert.equal(code, 0, `${stdout}${stderr}`)
  })

  test('holds the dependencies of production and no others', () => {
    const manifest = JSON.parse(readRepositoryFile('package.json')) as {
      dependencies: Record<string, string>
      devDependencies: Record<string, string>
    }
    const installed = (name: string) =>
      statSync(join(application, 'node_modules', name), { throwIfNoEntry: false }) !== undefined
    const own = Object.keys(manifest.dependencies)
    assert.deepEqual(
      own.filter((name) => !installed(name)),
      [],
    )
    const lock = JSON.parse(readRepositoryFile('package-lock.json')) as {
      packages: Record<string, { dev?: boolean }>
    }
    const onlyDevelopment = Object.keys(manifest.devDependencies).filter(
      (name) => lock.packages[`node_modules/${name}`]?.dev === true,
    )
    assert.ok(onlyDevelopment.includes('typescript'))
    assert.deepEqual(onlyDevelopment.filter(installed), [])
  })

  test('holds nothing of the repository but its source and its manifest', () => {
    assert.deepEqual(readdirSync(application).sort(), ['node_modules', 'package.json', 'src'])
  })
})

describe('the Dockerfile', () => {
  const final = stages.at(-1)
  const textOf = (name: string) => final?.instructions.findLast((one) => one.name === name)?.text

  test('has every stage on the slim image of the Node.js that the repository pins', () => {
    const manifest = JSON.parse(readRepositoryFile('package.json'))
    const [major] = String(manifest.devDependencies.node).split('.')
    assert.ok(stages.length > 1)
    for (const { base } of stages) assert.equal(base, `node:${major}-slim`)
  })

  test('ends as a user with a number, not 0', () => {
    assert.match(textOf('USER') ?? '', /^[1-9]\d*:[1-9]\d*$/)
  })

  test('keeps the database in its volume', () => {
    assert.match(
      textOf('ENV') ?? '',
      new RegExp(`DATABASE_URL=sqlite:///${textOf('VOLUME')}/\\S+\\.db`),
    )
  })

  test('exposes the port that the service listens on by default', () => {
    assert.equal(textOf('EXPOSE'), SETTING_DOCS.find(({ name }) => name === 'PORT')?.fallback)
  })

  test('sets only variables that the service, Node.js, SQLite or the C library knows', () => {
    const known = [
      ...SETTING_DOCS.map(({ name }) => name),
      'NODE_ENV',
      'NODE_OPTIONS',
      'SQLITE_TMPDIR',
      'MALLOC_ARENA_MAX',
    ]
    const set = [...(textOf('ENV') ?? '').matchAll(/(?:^|\s)(\w+)=/g)].map(([, name]) => name)
    assert.deepEqual(
      set.filter((name) => !known.includes(name ?? '')),
      [],
    )
  })
})
