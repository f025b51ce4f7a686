// A damaged database file: the service refuses to start with one sentence, or `verify` names the
// damage; never is a message served that was not sent. DAMAGES=200 for a longer run.
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { runCommand } from '../support/run-command.ts'
import type { Service } from '../support/service.ts'
import { Sender } from './sender.ts'
import { newSetting, seedOf } from './setting.ts'

const DAMAGES = Number(process.env['DAMAGES'] ?? 12)
const PAGE = 4096

/** A number from 0 to below `limit`, the same for the same seed and trial. */
function pick(seed: number, trial: number, limit: number): number {
  return (Math.imul(seed + trial * 7919, 0x9e3779b1) >>> 0) % limit
}

type Damage = { readonly name: string; readonly apply: (bytes: Buffer, at: number) => Buffer }

const KINDS: readonly Damage[] = [
  { name: 'a flipped bit', apply: (bytes, at) => bytes.fill((bytes[at] ?? 0) ^ 4, at, at + 1) },
  {
    name: 'a page of garbage',
    apply: (bytes, at) => bytes.fill('garbage', at - (at % PAGE), at - (at % PAGE) + PAGE),
  },
  { name: 'a file cut short', apply: (bytes, at) => bytes.subarray(0, at) },
]

test(`${DAMAGES} damaged files are refused or found out, and no wrong message is served`, {
  timeout: 3_600_000,
}, async (t) => {
  const seed = seedOf(t)
  const setting = newSetting(t)
  const sender = new Sender({ seed, duplicates: 0 })
  const filled = await setting.start()
  for (let i = 0; i < 300; i++) await sender.sendOne(filled.url)
  await filled.stop()
  copyFileSync(setting.file, `${setting.file}.sound`)
  const counts = { refused: 0, found: 0, harmless: 0 }
  for (let trial = 0; trial < DAMAGES; trial++) {
    const kind = KINDS[trial % KINDS.length]
    assert.ok(kind)
    const bytes = readFileSync(`${setting.file}.sound`)
    const at = pick(seed, trial, bytes.length)
    writeFileSync(setting.file, kind.apply(bytes, at))
    const found = await isFound(setting.file)
    const service = await setting.start().catch((error: Error) => error)
    if (service instanceof Error) {
      assert.match(service.message, /can't be used/, `${kind.name} at ${at}`)
      counts.refused++
      continue
    }
    const wrong = await wrongMessages(service, sender).catch(() => null)
    if (wrong === null) {
      // Damage that is met later, such as by the expiry of bodies, ends it as one at the start does.
      assert.deepEqual(await service.ended, { code: 1, signal: null })
      counts.refused++
      continue
    }
    await service.stop('SIGKILL')
    if (wrong > 0) assert.ok(found, `${kind.name} at ${at}: ${wrong} wrong messages, not found`)
    counts[found ? 'found' : 'harmless']++
  }
  t.diagnostic(JSON.stringify(counts))
  assert.ok(counts.refused + counts.found > 0, 'some damage was damage')
})

/** Other words in the place of a message's, in the table and in its raw body; its length stays. */
function forge(bytes: Buffer): Buffer {
  for (let at = bytes.indexOf('Message 7 '); at !== -1; at = bytes.indexOf('Message 7 ', at)) {
    bytes.write('Massage', at)
  }
  return bytes
}

/** Whether a wrong message is served, from a file that nobody found anything wrong with. */
async function isFooled(
  t: TestContext,
  finds: (file: string) => Promise<boolean>,
): Promise<boolean> {
  const setting = newSetting(t)
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  const filled = await setting.start()
  for (let i = 0; i < 20; i++) await sender.sendOne(filled.url)
  await filled.stop()
  writeFileSync(setting.file, forge(readFileSync(setting.file)))
  const found = await finds(setting.file)
  const service = await setting.start()
  const wrong = await wrongMessages(service, sender)
  await service.stop()
  assert.equal(wrong, 1, 'the forged message is served')
  return !found
}

test('a message that was forged in the file is found', async (t) => {
  assert.equal(await isFooled(t, isFound), false)
})

test('the twin that finds nothing is fooled', async (t) => {
  assert.equal(await isFooled(t, async () => false), true)
})

/** Whether `verify` finds anything wrong with a file. */
async function isFound(file: string): Promise<boolean> {
  const environment = { DATABASE_URL: `sqlite:///${file}` }
  const { code } = await runCommand(['verify'], {
    cwd: file.slice(0, file.lastIndexOf('/')),
    environment,
  })
  return code !== 0
}

/** Messages on the first pages that nobody sent as they are shown. */
async function wrongMessages({ url }: Service, sender: Sender): Promise<number> {
  const answer = await fetch(`${url}/messages?limit=100`)
  if (answer.status !== 200) return 0
  const { data } = (await answer.json()) as { data: { message_id: string; text: string }[] }
  return data.filter(({ message_id, text }) => {
    const number = message_id.split('-').at(-1)
    return !sender.sent.has(message_id) || text !== `Message ${number} 🎉`
  }).length
}
