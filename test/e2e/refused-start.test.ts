import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { HELD_MS } from '../support/held-briefly.ts'
import { type Ended, type LaunchOptions, launch, startService } from '../support/service.ts'
import { SECRET } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

type Scope = Parameters<typeof launch>[0]

async function endOf(
  t: Scope,
  options: LaunchOptions,
): Promise<Ended & { stderr: string; stdout: string }> {
  const launched = launch(t, options)
  const ended = await launched.ended
  return { ...ended, stderr: launched.stderr, stdout: launched.stdout }
}

test('a bad configuration ends with 2 and names every variable and no value', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = {
    WEBHOOK_SECRET: `${SECRET},canary`,
    DATABASE_URL: 'mysql://canary:canary@canary/canary',
    PORT: '80canary',
    READ_ACCESS: 'canary',
    API_KEYS: 'canary',
    MAX_BODY_BYTES: '-1',
    LOG_LEVEL: 'canary',
    SHUTDOWN_TIMEOUT: '1.5',
  }
  const { code, stderr, stdout } = await endOf(t, { cwd, environment })
  assert.equal(code, 2)
  assert.equal(stdout, '')
  const lines = stderr.trimEnd().split('\n')
  const names = [
    'DATABASE_URL',
    'PORT',
    'READ_ACCESS',
    'API_KEYS',
    'MAX_BODY_BYTES',
    'SHUTDOWN_TIMEOUT',
    'LOG_LEVEL',
  ]
  assert.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    names,
  )
  assert.doesNotMatch(stderr, /canary/)
  assert.deepEqual(readdirSync(cwd), [])
})

test('a port in use ends with 1 and one sentence', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite://' }
  const { port } = await startService(t, { cwd, environment })
  const { code, stderr } = await endOf(t, { cwd, environment: { ...environment, PORT: `${port}` } })
  assert.equal(code, 1)
  assert.equal(stderr, `Port ${port} is in use: stop what listens there, or set PORT to another.\n`)
})

test('an address that can not be listened on ends with 1 and one sentence', async (t) => {
  const cwd = temporaryDirectory(t)
  for (const [HOST, sentence] of [
    ['192.0.2.1', /^HOST is no address of this machine: .*\.\n$/],
    ['999.1.1.1', /^HOST is no address, and no name that is known here \(\w+\): .*\.\n$/],
  ] as const) {
    const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite://', PORT: '0', HOST }
    const { code, stderr } = await endOf(t, { cwd, environment })
    assert.equal(code, 1)
    assert.match(stderr, sentence)
  }
})

test('a database that can not be used ends with 1, and says so without a stack', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(
    join(cwd, 'text.db'),
    'not a database, and longer than the header of one is. '.repeat(40),
  )
  for (const file of ['text.db', '/proc/nowhere/messages.db']) {
    const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: `sqlite:///${file}` }
    const { code, stderr } = await endOf(t, { cwd, environment })
    assert.equal(code, 1, file)
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
    assert.doesNotMatch(stderr, /^\s+at /m)
  }
})

for (const [name, file, begin] of [
  ['a database', 'messages.db', 'begin exclusive'],
  ['a search index', 'messages-search.db', 'begin immediate'],
] as const) {
  test(`${name} that another process keeps locked ends with 1, and says so and what to do`, async (t) => {
    const cwd = temporaryDirectory(t)
    const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite:///./messages.db' }
    await (await startService(t, { cwd, environment })).stop()
    const holder = new DatabaseSync(join(cwd, file))
    t.after(() => holder.close())
    holder.exec(begin)
    const { code, stderr, stdout } = await endOf(t, { cwd, environment })
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^The database \.\/messages\.db can't be used: another process .*\.\n$/)
    assert.match(stderr, /has kept it, or the search index beside it, locked for two seconds: /)
    assert.match(stderr, /wait for it or end it .*, and try again\.\n$/)
    holder.exec('rollback')
    await startService(t, { cwd, environment })
  })
}

test('a database that is locked only for a moment is waited for', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite:///./messages.db' }
  await (await startService(t, { cwd, environment })).stop()
  const holder = new DatabaseSync(join(cwd, 'messages.db'))
  t.after(() => holder.close())
  holder.exec('begin exclusive')
  const starting = startService(t, { cwd, environment })
  // It is at the database by now, on a machine that does nothing else.
  await delay(HELD_MS)
  holder.exec('rollback')
  await starting
})

test('a database that a restart makes no better ends with 2', async (t) => {
  const cwd = temporaryDirectory(t)
  for (const [file, sql, reason] of [
    ['newer.db', 'pragma user_version = 999', /has schema 999, .* start a newer version/],
    ['other.db', 'create table theirs (id integer)', /tables of another program/],
  ] as const) {
    const database = new DatabaseSync(join(cwd, file))
    database.exec(sql)
    database.close()
    const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: `sqlite:///${file}` }
    const { code, stderr } = await endOf(t, { cwd, environment })
    assert.equal(code, 2, file)
    assert.match(stderr, /^The database \S+ can't be used: .*\.\n$/)
    assert.match(stderr, reason)
  }
})

test('what is no regular file is refused as it is: no right to it is changed', async (t) => {
  const cwd = temporaryDirectory(t)
  mkdirSync(join(cwd, 'directory.db'))
  chmodSync(join(cwd, 'directory.db'), 0o755)
  execFileSync('mkfifo', ['-m', '666', join(cwd, 'pipe.db')])
  for (const [file, mode] of [
    ['directory.db', 0o755],
    ['pipe.db', 0o666],
  ] as const) {
    const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: `sqlite:///${file}` }
    const { code, stderr } = await endOf(t, { cwd, environment })
    assert.equal(code, 2, file)
    assert.match(stderr, /can't be used: It is no regular file\.\n$/)
    assert.equal(statSync(join(cwd, file)).mode & 0o777, mode, file)
  }
})

test('an unknown command, option or argument ends with 2', async (t) => {
  const cwd = temporaryDirectory(t)
  for (const args of [[], ['nonsense'], ['serve', '--nonsense'], ['serve', 'now']]) {
    const { code, stderr, stdout } = await endOf(t, { cwd, args })
    assert.equal(code, 2, args.join(' '))
    assert.notEqual(stderr, '')
    assert.equal(stdout, '')
  }
  assert.deepEqual(readdirSync(cwd), [])
})
