// Damaged database files: the service refuses to start with one sentence, or `verify` names the
// damage; never is a message served that was not sent. DAMAGES=200 for a longer run.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { runCommand } from '../support/run-command.ts'
import type { Ended, Service } from '../support/service.ts'
import { type Damage, DAMAGES as KINDS, keep } from './damaging.ts'
import { Sender, saidIn } from './sender.ts'
import { chanceOf, newSetting, type Setting, seedOf } from './setting.ts'

const DAMAGES = Number(process.env['DAMAGES'] ?? 12)
/** Messages of the stopped are in its file; what the killed has more is only in its log. */
const SENT = { stopped: 150, killed: 300 } as const
/** Each is a commit, and a page of garbage can reach over the last two. */
const LEAST = {
  everything: SENT.killed,
  'all but the last': SENT.killed - 2,
  'an earlier state': SENT.stopped,
} as const
const LIMIT_MS = 15_000

test(`${DAMAGES} damaged files are refused or found out, and no wrong message is served`, {
  timeout: 3_600_000,
}, async (t) => {
  const seed = seedOf(t)
  const setting = newSetting(t)
  const sender = new Sender({ seed, duplicates: 0 })
  const restore = await fill(setting, sender)
  const counts = new Map<string, number>()
  for (let trial = 0; trial < DAMAGES; trial++) {
    const kind = KINDS[trial % KINDS.length]
    assert.ok(kind)
    const damage = () => {
      restore[kind.of]()
      kind.apply(setting.file, (limit) => Math.floor(chanceOf(seed, trial) * limit))
    }
    damage()
    const found = await isFound(setting.file)
    // Anew: whoever reads a log repairs its index.
    damage()
    const outcome = await outcomeOf(setting, sender)
    judge(kind, { found, outcome }, `trial ${trial}, ${kind.name}`)
    const name = nameOf(kind, { found, outcome })
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(counts)))
  assert.ok((counts.get('harmless') ?? 0) < DAMAGES, 'some damage was damage')
})

/** Two sound states, each brought back by its function. */
async function fill(setting: Setting, sender: Sender): Promise<Record<Damage['of'], () => void>> {
  await (await sendUntil(setting, sender, SENT.stopped)).stop()
  const stopped = keep(setting.file)
  assert.equal(await isFound(setting.file), false, 'the stopped is sound')
  await (await sendUntil(setting, sender, SENT.killed)).stop('SIGKILL')
  const killed = keep(setting.file)
  assert.ok(statSync(`${setting.file}-wal`).size > 0)
  assert.equal(await isFound(setting.file), false, 'the killed is sound')
  assert.equal(sender.acknowledged, SENT.killed)
  return { stopped, killed }
}

/** A service that has stored this many messages, with those of before. */
async function sendUntil(setting: Setting, sender: Sender, messages: number): Promise<Service> {
  const service = await setting.start()
  while (sender.sent.size < messages) await sender.sendOne(service.url)
  return service
}

/** Messages on all pages: those that were sent so, and all others. */
type Served = { readonly right: number; readonly wrong: number }

type Outcome =
  | { readonly end: 'refused' }
  /** The service met the damage later, such as when bodies expire. */
  | ({ readonly end: 'ended' } & Served)
  /** A page was answered with another status than 200. */
  | ({ readonly end: 'unreadable'; readonly status: number } & Served)
  | ({ readonly end: 'read' } & Served)

/** What a service on these files does; it has ended afterwards. */
async function outcomeOf(setting: Setting, sender: Sender): Promise<Outcome> {
  const service = await setting.start().catch((error: Error) => error)
  if (service instanceof Error) {
    assert.match(service.message, /can't be used/)
    return { end: 'refused' }
  }
  const { status, ...served } = await readAll(service, sender)
  if (status === 0) {
    assert.deepEqual(await endOf(service), { code: 1, signal: null })
    return { end: 'ended', ...served }
  }
  await service.stop('SIGKILL')
  return status === 200 ? { end: 'read', ...served } : { end: 'unreadable', status, ...served }
}

/** How a service ended that gave no answer; it has to, soon. */
async function endOf(service: Service): Promise<Ended> {
  const ended = await Promise.race([service.ended, delay(LIMIT_MS, null, { ref: false })])
  assert.ok(ended, 'It gives no answer and does not end.')
  return ended
}

type Trial = { readonly found: boolean; readonly outcome: Outcome }

function nameOf({ of }: Damage, { found, outcome }: Trial): string {
  if (outcome.end === 'unreadable') return `answered ${outcome.status}`
  if (outcome.end !== 'read') return outcome.end
  if (found) return 'found'
  return outcome.right === SENT[of] ? 'harmless' : 'earlier state'
}

function judge({ of, left }: Damage, { found, outcome }: Trial, name: string): void {
  const told = `${name}: ${JSON.stringify({ found, ...outcome })}`
  if (left === 'nothing') {
    assert.equal(found, true, told)
    assert.equal(outcome.end, 'refused', told)
  } else if (left === 'doubt') {
    const sound = { end: 'read', right: SENT[of], wrong: 0 }
    assert.ok(outcome.end === 'refused' || found || isDeepStrictEqual(outcome, sound), told)
  } else if (left === 'all but the last' && outcome.end === 'refused') {
    assert.equal(found, true, told)
  } else {
    assert.equal(found, false, told)
    assert.ok(outcome.end === 'read' && outcome.wrong === 0, told)
    assert.ok(outcome.right >= LEAST[left], told)
  }
}

/** Whether `verify` finds anything wrong with a file, or says of it that it can't be read. */
async function isFound(file: string): Promise<boolean> {
  const environment = { DATABASE_URL: `sqlite:///${file}` }
  const { code, stdout, stderr } = await runCommand(['verify'], { cwd: dirname(file), environment })
  const told = `${code}\n${stdout}${stderr}`
  if (code === 0) {
    assert.match(stdout, /: everything agrees\.\n$/, told)
    return false
  }
  // What has the file's name and is none is the configuration's fault.
  const isNone = / is no regular file\.\n$/.test(stderr)
  assert.equal(code, isNone ? 2 : 1, told)
  if (isNone) return true
  // An error of the program's own would end it with 1 too.
  if (stderr === '') assert.match(stdout, /(: 1 thing disagrees|things disagree)\.\n$/, told)
  else assert.match(stderr, /^.*(can't be used|is no database|has schema).*\n$/, told)
  return true
}

type Message = { readonly message_id: string; readonly from: string; readonly text: string | null }
type Page = { readonly data: readonly Message[]; readonly next_cursor: string | null }

/** All pages up to the first that is not answered 200, and the last status; 0 for no answer. */
async function readAll({ url }: Service, sender: Sender): Promise<Served & { status: number }> {
  const missing = new Set(sender.sent.keys())
  const served = { right: 0, wrong: 0 }
  let query = 'limit=100'
  // A page that comes again and again is made of wrong messages, and of no end.
  while (served.wrong <= sender.sent.size) {
    const { status, page } = await readPage(`${url}/messages?${query}`)
    if (page === null) return { ...served, status }
    for (const message of page.data) {
      const right = missing.delete(message.message_id) && isAsSent(message)
      served[right ? 'right' : 'wrong']++
    }
    if (page.next_cursor === null) break
    query = `limit=100&cursor=${encodeURIComponent(page.next_cursor)}`
  }
  return { ...served, status: 200 }
}

async function readPage(url: string): Promise<{ status: number; page: Page | null }> {
  const answer = await answerOf(url)
  if (answer === null) return { status: 0, page: null }
  const { status, body } = answer
  return { status, page: status === 200 ? (JSON.parse(body) as Page) : null }
}

async function answerOf(url: string): Promise<{ status: number; body: string } | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) })
    return { status: answer.status, body: await answer.text() }
  } catch {
    return null
  }
}

/** Whether it says what the sender said in the message with its id. */
function isAsSent({ message_id, from, text }: Message): boolean {
  return isDeepStrictEqual({ from, text }, saidIn(Number(message_id.split('-').at(-1))))
}

type Forgery = { readonly digest: boolean }

/** Whether a wrong message is served, from a file that `verify` found nothing wrong with. */
async function isFooled(t: TestContext, forgery: Forgery): Promise<boolean> {
  const setting = newSetting(t)
  const sender = new Sender({ seed: seedOf(t), duplicates: 0 })
  await (await sendUntil(setting, sender, 20)).stop()
  assert.equal(await isFound(setting.file), false, 'it was sound')
  forge(setting.file, forgery)
  const found = await isFound(setting.file)
  const outcome = await outcomeOf(setting, sender)
  assert.deepEqual(outcome, { end: 'read', right: 19, wrong: 1 }, 'the forged message is served')
  return !found
}

/** Other words in the place of a message's, wherever the store has them; their length stays. */
function forge(file: string, { digest }: Forgery): void {
  const database = new DatabaseSync(file)
  const { text, intake } = database
    .prepare("select text, intake from messages where text like 'Message 7 %'")
    .get() as { text: string; intake: number }
  const { body } = database.prepare('select body from intakes where id = ?').get(intake) as {
    body: Uint8Array
  }
  const other = Buffer.from(forged(Buffer.from(body).toString()))
  database.prepare('update messages set text = ? where text = ?').run(forged(text), text)
  database.prepare('update intakes set body = ? where id = ?').run(other, intake)
  if (digest) {
    const sha256 = createHash('sha256').update(other).digest()
    database.prepare('update intakes set sha256 = ? where id = ?').run(sha256, intake)
  }
  database.close()
  // The service builds it anew, of the forged text.
  rmSync(file.replace(/\.db$/, '-search.db'))
}

function forged(text: string): string {
  return text.replace('Message', 'Massage')
}

test('a message that was forged in the file is found', async (t) => {
  assert.equal(await isFooled(t, { digest: false }), false)
})

test('the twin whose digest was forged too fools it', async (t) => {
  assert.equal(await isFooled(t, { digest: true }), true)
})
