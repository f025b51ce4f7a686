// Files that are deleted, replaced or overwritten under a service that has them open. It would go on
// writing to what has no name any more, or into what is half another database.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCommand } from '../support/run-command.ts'
import { readinessOf, type Service } from '../support/service.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'
import { assertLossCaught } from './caught.ts'
import { anomalies } from './checker.ts'
import { Sender, type Sent } from './sender.ts'
import { newSetting, type Sabotage, type Setting, seedOf } from './setting.ts'

const MESSAGES = 20
const MESSAGES_LATER = 300

type Opened = {
  readonly setting: Setting
  readonly service: Service
  readonly sender: Sender
  readonly backup: string
  /** What was sent by the time of the backup. */
  readonly backedUp: ReadonlyMap<string, Sent>
}

/** A service with messages on its disk, a backup of the first, and more messages in its log. */
async function openFiles(t: TestContext, sabotage?: Sabotage): Promise<Opened> {
  const directory = join(temporaryDirectory(t), 'data')
  const setting = newSetting(t, { directory, ...(sabotage === undefined ? {} : { sabotage }) })
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  const first = await setting.start()
  await sendAll(first, sender, MESSAGES)
  await first.stop()
  const backup = join(dirname(directory), 'backup.db')
  await runSoundly(['backup', backup], setting)
  const backedUp = new Map(sender.sent)
  const service = await setting.start()
  await sendAll(service, sender, MESSAGES_LATER)
  return { setting, service, sender, backup, backedUp }
}

async function sendAll({ url }: Service, sender: Sender, messages: number): Promise<void> {
  const enough = sender.acknowledged + messages
  await sender.sendUntil(url, () => sender.acknowledged >= enough)
}

async function runSoundly(args: string[], { file }: Setting): Promise<void> {
  const environment = { DATABASE_URL: `sqlite:///${file}` }
  const { code, stdout, stderr } = await runCommand(args, { cwd: dirname(file), environment })
  assert.equal(code, 0, `${stdout}${stderr}`)
}

/** Its database is what the backup was, whole and alone. */
async function assertRestored({ setting, sender, backedUp }: Opened): Promise<void> {
  assert.deepEqual(anomalies(setting.file, backedUp), [])
  await runSoundly(['verify'], setting)
  const restored = await setting.start()
  assert.equal(await sender.sendOne(restored.url), 200)
  await restored.stop()
}

async function assertNothingLost({ setting, sender }: Opened): Promise<void> {
  const recovered = await setting.start()
  assert.equal(await sender.sendOne(recovered.url), 200)
  await recovered.stop()
  assert.deepEqual(anomalies(setting.file, sender.sent), [])
  await runSoundly(['verify'], setting)
}

async function assertBegunAnew({ setting, sender }: Opened): Promise<void> {
  const anew = await setting.start()
  assert.equal(await sender.sendOne(anew.url), 200)
  await anew.stop()
  await runSoundly(['verify'], setting)
}

/** What was overwritten is not read together with the log of what it was. */
async function assertRefusedUntilRestored(opened: Opened): Promise<void> {
  const { file, start } = opened.setting
  await assert.rejects(start(), /can't be used: The log messages\.db-wal is not of this database/)
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`)
  await assertRestored(opened)
}

type Change = {
  readonly name: string
  readonly apply: (opened: Opened) => void
  readonly says: RegExp
  /** What the next start makes of what is left. */
  readonly assertAfterwards: (opened: Opened) => Promise<void>
}

const CHANGED = /messages\.db was deleted or replaced while it was open/
const LOG_CHANGED = /messages\.db-wal was deleted or replaced while it was open/
const OVERWRITTEN = /messages\.db was overwritten while it was open/

const DIRECTORY_DELETED: Change = {
  name: 'the directory is deleted',
  apply: ({ setting }) => rmSync(dirname(setting.file), { recursive: true }),
  says: CHANGED,
  assertAfterwards: assertBegunAnew,
}

const COPIED_OVER: Change = {
  name: 'a backup is copied over the database in its place',
  apply: ({ setting, backup }) => copyFileSync(backup, setting.file),
  says: OVERWRITTEN,
  assertAfterwards: assertRefusedUntilRestored,
}

const CHANGES: readonly Change[] = [
  DIRECTORY_DELETED,
  {
    name: 'the database is deleted alone',
    apply: ({ setting }) => rmSync(setting.file),
    says: CHANGED,
    assertAfterwards: assertBegunAnew,
  },
  {
    name: 'a backup is renamed to the database',
    apply: ({ setting, backup }) => renameSync(backup, setting.file),
    says: CHANGED,
    assertAfterwards: assertRestored,
  },
  {
    name: 'the directory is moved away',
    apply: ({ setting }) => {
      const directory = dirname(setting.file)
      renameSync(directory, `${directory}.old`)
    },
    says: CHANGED,
    assertAfterwards: async (opened) => {
      const directory = dirname(opened.setting.file)
      assert.equal(existsSync(directory), false)
      renameSync(`${directory}.old`, directory)
      await assertNothingLost(opened)
    },
  },
  {
    name: 'the log is deleted',
    apply: ({ setting }) => rmSync(`${setting.file}-wal`),
    says: LOG_CHANGED,
    assertAfterwards: assertNothingLost,
  },
  {
    name: 'the log is replaced',
    apply: ({ setting: { file } }) => {
      copyFileSync(`${file}-wal`, `${file}-other`)
      renameSync(`${file}-other`, `${file}-wal`)
    },
    says: LOG_CHANGED,
    assertAfterwards: assertNothingLost,
  },
  {
    name: 'the index of the log is deleted',
    apply: ({ setting }) => rmSync(`${setting.file}-shm`),
    says: /messages\.db-shm was deleted or replaced while it was open/,
    assertAfterwards: assertNothingLost,
  },
  COPIED_OVER,
  {
    name: 'the database is emptied in its place',
    apply: ({ setting }) => truncateSync(setting.file, 0),
    says: OVERWRITTEN,
    assertAfterwards: assertBegunAnew,
  },
]

async function assertEnded({ service }: Opened, says: RegExp): Promise<void> {
  assert.deepEqual(await service.ended, { code: 1, signal: null })
  const fatal = service.log.filter(({ level }) => level === 'fatal')
  assert.equal(fatal.length, 1)
  assert.match(String(fatal[0]?.['reason']), says)
}

for (const { name, apply, says, assertAfterwards } of CHANGES) {
  test(`${name}: no message is answered 200 any more, and it ends`, async (t) => {
    const opened = await openFiles(t)
    const { sender, service } = opened
    const acknowledged = sender.acknowledged
    apply(opened)
    await sender.sendOne(service.url)
    assert.equal(sender.acknowledged, acknowledged)
    await assertEnded(opened, says)
    await assertAfterwards(opened)
  })
}

for (const { name, apply, says } of [DIRECTORY_DELETED, COPIED_OVER]) {
  test(`${name}: it is not ready any more, and ends`, async (t) => {
    const opened = await openFiles(t)
    apply(opened)
    assert.equal(await readinessOf(opened.service), 503)
    await assertEnded(opened, says)
  })
}

test('under load nothing is lost of what was answered, where the log is deleted', async (t) => {
  const opened = await openFiles(t)
  const { sender, service, setting } = opened
  const enough = sender.acknowledged + MESSAGES
  let isDeleted = false
  let isEnded = false
  void service.ended.then(() => {
    isEnded = true
  })
  await sender.sendUntil(service.url, () => {
    if (!isDeleted && sender.acknowledged >= enough) {
      rmSync(`${setting.file}-wal`)
      isDeleted = true
    }
    return isEnded
  })
  await assertEnded(opened, LOG_CHANGED)
  await assertNothingLost(opened)
})

test('the twin that answers all the same is caught', async (t) => {
  const { setting, service, sender } = await openFiles(t, 'ignored failure')
  rmSync(`${setting.file}-wal`)
  await sendAll(service, sender, MESSAGES)
  await service.stop('SIGKILL')
  assertLossCaught(anomalies(setting.file, sender.sent))
})

test('the search index may be deleted: searches go on, and the next start builds it anew', async (t) => {
  const { setting, service, sender } = await openFiles(t)
  await until('everything is indexed', async () => (await found(service)) > 0)
  const directory = dirname(setting.file)
  const files = readdirSync(directory).filter((file) => file.includes('-search'))
  assert.equal(files.length, 3)
  for (const file of files) rmSync(join(directory, file))
  await sendAll(service, sender, MESSAGES)
  assert.equal(await found(service), sender.acknowledged)
  assert.equal(await readinessOf(service), 200)
  await service.stop('SIGKILL')
  const again = await setting.start()
  assert.equal(await found(again), sender.acknowledged)
  await again.stop()
  await runSoundly(['verify'], setting)
})

async function found({ url }: Service): Promise<number> {
  const answer = await fetch(`${url}/messages?q=message`)
  return ((await answer.json()) as { total: number }).total
}

test('a database in memory does not depend on the names of its files', async (t) => {
  const temporary = temporaryDirectory(t)
  const environment = { DATABASE_URL: 'sqlite://', TMPDIR: temporary }
  const service = await newSetting(t).start(environment)
  const directory = readdirSync(temporary).find((name) => name.startsWith('whatsapp-webhook-'))
  assert.ok(directory)
  rmSync(join(temporary, directory), { recursive: true })
  const sender = new Sender({ seed: seedOf(t) })
  assert.equal(await sender.sendOne(service.url), 200)
  assert.equal(await readinessOf(service), 200)
  assert.deepEqual(await service.stop(), { code: 0, signal: null })
})
