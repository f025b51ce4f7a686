import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { post, type Service, startService } from '../support/service.ts'
import { flatBody, SECRET, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

const INIT = ['serve', '--init']

/** The commands printed for the person at the terminal. */
async function commandsFrom(service: Service): Promise<string[]> {
  await until('the commands are printed', () => service.stderr.includes('/messages\n'))
  const commands = service.stderr.replaceAll('\\\n', ' ').split('\n')
  return commands.map((line) => line.trim()).filter((line) => line.startsWith('curl '))
}

const run = (command = '') =>
  execFileSync('sh', ['-c', `${command} -sS --noproxy '*'`], { encoding: 'utf8' })

async function status(service: Service, path: string): Promise<number> {
  return (await fetch(`${service.url}${path}`)).status
}

async function statusOfPost(service: Service, secret: string): Promise<number> {
  const body = toBytes(flatBody())
  return (await post(service, body, signature(body, secret))).status
}

test('a first start writes a secret into .env and prints commands that work when they are pasted', async (t) => {
  const cwd = temporaryDirectory(t)
  const file = join(cwd, '.env')
  // Without HOST, as a person would start it.
  const environment = { HOST: '' }
  const first = await startService(t, { cwd, environment, args: INIT })
  const [send, read] = await commandsFrom(first)
  assert.match(first.stderr, /^Wrote .*\.env with a random WEBHOOK_SECRET\.$/m)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const text = readFileSync(file, 'utf8')
  const secret = /^WEBHOOK_SECRET=([0-9a-f]{64})$/m.exec(text)?.[1]
  assert.ok(secret)
  assert.equal(run(send), '{"status":"ok"}')
  const list = JSON.parse(run(read)) as { total: number; data: { text: string }[] }
  assert.equal(list.total, 1)
  assert.equal(list.data[0]?.text, 'Hello')
  assert.deepEqual(await first.stop(), { code: 0, signal: null })
  assert.ok(!`${first.stdout}${first.stderr}`.includes(secret))

  const second = await startService(t, { cwd, environment, args: INIT })
  const [sendAgain] = await commandsFrom(second)
  assert.doesNotMatch(second.stderr, /Wrote/)
  assert.equal(readFileSync(file, 'utf8'), text)
  assert.equal(run(sendAgain), '{"status":"ok"}')
  assert.equal(await status(second, '/health/ready'), 200)
  assert.deepEqual(await second.stop(), { code: 0, signal: null })
})

test('a copy of .env.example becomes a configuration that works', async (t) => {
  const cwd = temporaryDirectory(t)
  const file = join(cwd, '.env')
  copyFileSync(new URL('../../.env.example', import.meta.url), file)
  const service = await startService(t, { cwd, environment: { HOST: '' }, args: INIT })
  const [send] = await commandsFrom(service)
  assert.match(service.stderr, /^Put a random WEBHOOK_SECRET into .*\.env, where it was empty\.$/m)
  assert.equal(run(send), '{"status":"ok"}')
  const secret = /^WEBHOOK_SECRET=(.+)$/m.exec(readFileSync(file, 'utf8'))?.[1]
  assert.ok(secret)
  assert.ok(!`${service.stdout}${service.stderr}`.includes(secret))
})

test('a .env without a line for the secret is left alone, and the command that adds one is printed', async (t) => {
  const cwd = join(temporaryDirectory(t), "Anna's")
  mkdirSync(cwd)
  const file = join(cwd, '.env')
  writeFileSync(file, 'APP_NAME=no line end')
  const first = await startService(t, { cwd, args: INIT })
  await until('the command is printed', () => / >> .*\n/.test(first.stderr))
  assert.equal(readFileSync(file, 'utf8'), 'APP_NAME=no line end')
  assert.equal(await statusOfPost(first, SECRET), 503)
  const [command = ''] = /^ {2}printf .*$/m.exec(first.stderr) ?? []
  execFileSync('sh', ['-c', command])
  assert.match(readFileSync(file, 'utf8'), /^APP_NAME=no line end\nWEBHOOK_SECRET=[0-9a-f]{64}\n$/)
  const second = await startService(t, { cwd, args: INIT })
  const [send] = await commandsFrom(second)
  assert.equal(run(send), '{"status":"ok"}')
})

test('who takes in WhatsApp alone is asked for nothing else', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, '.env'), 'META_APP_SECRET=an-app-secret-of-32-characters-ab\n')
  const service = await startService(t, { cwd, args: INIT })
  await until('it is said', () => service.stderr.endsWith('\n'))
  assert.match(service.stderr, /^Listening on \S+ for webhooks signed with META_APP_SECRET\.\n$/)
})

test('without --init nothing is written: it is live, not ready, and takes nothing in', async (t) => {
  const cwd = temporaryDirectory(t)
  const service = await startService(t, { cwd })
  assert.equal(await status(service, '/health/live'), 200)
  const ready = await fetch(`${service.url}/health/ready`)
  assert.equal(ready.status, 503)
  assert.deepEqual(await ready.json(), {
    status: 'not ready',
    checks: { database: 'ok', webhook_secret: 'not configured' },
  })
  assert.equal(await statusOfPost(service, ''), 503)
  assert.equal(await status(service, '/messages'), 401)
  assert.equal(existsSync(join(cwd, '.env')), false)
  await service.logged(
    'neither WEBHOOK_SECRET nor META_APP_SECRET is set: nothing is taken in until one is',
  )
})

test('variables of the environment win over those of .env', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, '.env'), `WEBHOOK_SECRET=of-the-file-${SECRET}\nAPP_NAME=Of the file\n`)
  const environment = { WEBHOOK_SECRET: SECRET, READ_ACCESS: 'open' }
  const service = await startService(t, { cwd, environment, args: INIT })
  assert.equal(await statusOfPost(service, SECRET), 200)
  assert.equal(await statusOfPost(service, `of-the-file-${SECRET}`), 401)
  const description = await (await fetch(`${service.url}/openapi.json`)).json()
  assert.equal((description as { info: { title: string } }).info.title, 'Of the file')
})

test('an empty secret in the environment is one that is not set, and generates nothing', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = { WEBHOOK_SECRET: '' }
  const bare = await startService(t, { cwd, environment, args: INIT })
  assert.equal(existsSync(join(cwd, '.env')), false)
  assert.equal(await status(bare, '/health/ready'), 503)
  assert.equal(await statusOfPost(bare, ''), 503)
  await until('it is said', () => /WEBHOOK_SECRET is not set\. The environment/.test(bare.stderr))

  writeFileSync(join(cwd, '.env'), `WEBHOOK_SECRET=${SECRET}\n`)
  const overridden = await startService(t, { cwd, environment, args: INIT })
  assert.equal(await statusOfPost(overridden, SECRET), 503)
})

test('--init lets this machine read without a key, unless READ_ACCESS says otherwise', async (t) => {
  const cwd = temporaryDirectory(t)
  const local = await startService(t, { cwd, args: INIT })
  assert.equal(await status(local, '/messages'), 200)
  const keys = await startService(t, { cwd, args: INIT, environment: { READ_ACCESS: 'keys' } })
  assert.equal(await status(keys, '/messages'), 401)
  writeFileSync(join(cwd, '.env'), `WEBHOOK_SECRET=${SECRET}\nREAD_ACCESS=keys\n`)
  const file = await startService(t, { cwd, args: INIT })
  assert.equal(await status(file, '/messages'), 401)
})

test('where reading needs a key, the printed command sends one, or has a place for it', async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = { READ_ACCESS: 'keys', DATABASE_URL: "sqlite:///Anna's data/messages.db" }
  const generated = await startService(t, { cwd, environment, args: INIT })
  const [send, read] = await commandsFrom(generated)
  assert.equal(run(send), '{"status":"ok"}')
  assert.equal((JSON.parse(run(read)) as { total: number }).total, 1)

  const API_KEYS = 'anna:a-key-of-annas-with-32-characters,'
  const given = await startService(t, {
    cwd,
    environment: { ...environment, API_KEYS },
    args: INIT,
  })
  const [, withPlace = ''] = await commandsFrom(given)
  assert.match(given.stderr, /and read it, with a key in the place of KEY:/)
  assert.ok(!given.stderr.includes('a-key-of-annas'))
  const pasted = withPlace.replace('KEY', 'a-key-of-annas-with-32-characters')
  assert.equal((JSON.parse(run(pasted)) as { total: number }).total, 1)
})
