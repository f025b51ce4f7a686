import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { fillDatabase, indexed } from '../support/filled-database.ts'
import { startOpenService } from '../support/open-service.ts'
import { runCommand, startCommand } from '../support/run-command.ts'
import { flatBody, SECRET, signature } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite:///messages.db' }

describe('backup', () => {
  it('taken while messages arrive holds all that were acknowledged before, and is served', async (test) => {
    const cwd = temporaryDirectory(test)
    const service = await startOpenService(test, { cwd, environment })
    const sender = sendEndlessly(service.url)
    await until('some are acknowledged', () => sender.acknowledged.length > 200)
    const before = [...sender.acknowledged]
    const { code, stdout, stderr } = await runCommand(['backup', 'copy.db'], { cwd, environment })
    await sender.stop()
    await service.stop()
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.ok(sender.acknowledged.length > before.length, 'nothing was written meanwhile')

    const stored = new Set(idsIn(join(cwd, 'copy.db')))
    for (const id of before) assert.ok(stored.has(id), `${id} is missing`)
    assert.ok(stored.size < sender.acknowledged.length, 'it was not taken meanwhile')
    assert.match(stdout, /^copy\.db: [\d,]+ messages, [\d,]+ bytes\.\n$/)
    assert.deepEqual(namesIn(cwd), ['copy.db', 'messages-search.db', 'messages.db'])
    assert.equal(statSync(join(cwd, 'copy.db')).mode & 0o777, 0o600)
    const args = ['verify', '--database', 'sqlite:///copy.db']
    const verified = await runCommand(args, { cwd, environment })
    assert.equal(verified.code, 0, verified.stdout)

    // Restored beside the search index of the original, which knows later messages.
    const restored = temporaryDirectory(test)
    cpSync(join(cwd, 'copy.db'), join(restored, 'messages.db'))
    cpSync(join(cwd, 'messages-search.db'), join(restored, 'messages-search.db'))
    const again = await startOpenService(test, { cwd: restored, environment })
    const answer = await fetch(`${again.url}/messages?q=NUMBER%201`)
    const { total } = (await answer.json()) as { total: number }
    assert.equal(total, before.length === 0 ? 0 : countOf(stored, /^number-1/))
    const file = join(restored, 'messages.db')
    await until('the index is built anew', () => indexed(file) > stored.size)
    const rebuilt = await runCommand(['verify'], { cwd: restored, environment })
    assert.match(rebuilt.stdout, /, search index up to number [\d,]+: everything agrees/)
    const more = await runCommand(['send', '--url', again.url], { cwd, environment })
    assert.equal(more.code, 0)
  })

  it('restored, shows whoever had read further than it everything that it stores', async (test) => {
    const cwd = temporaryDirectory(test)
    const original = await startOpenService(test, { cwd, environment })
    await sendOne(original.url, 'before')
    await runCommand(['backup', 'copy.db'], { cwd, environment })
    for (const id of ['lost-1', 'lost-2', 'lost-3']) await sendOne(original.url, id)
    const { next } = await eventsAfter(original.url, 0)
    await original.stop()

    const restored = temporaryDirectory(test)
    cpSync(join(cwd, 'copy.db'), join(restored, 'messages.db'))
    const again = await startOpenService(test, { cwd: restored, environment })
    const sent = ['new-1', 'new-2', 'new-3', 'new-4']
    for (const id of sent) await sendOne(again.url, id)
    assert.deepEqual((await eventsAfter(again.url, next)).ids, sent)
    assert.deepEqual((await eventsAfter(again.url, 0)).ids, ['before', ...sent])
    const verified = await runCommand(['verify'], { cwd: restored, environment })
    assert.equal(verified.code, 0, verified.stdout)
  })

  it('is a file of its own that does not share the identity of the original', async (test) => {
    const cwd = temporaryDirectory(test)
    await fillDatabase(join(cwd, 'messages.db'), [flatBody()])
    await runCommand(['backup', 'copy.db'], { cwd, environment })
    const identities = ['messages.db', 'copy.db'].map((name) => {
      const database = new DatabaseSync(join(cwd, name), { readOnly: true })
      const row = database.prepare('select identity from store').get()
      database.close()
      return row?.['identity']
    })
    assert.match(String(identities[1]), /^[0-9a-f]{32}$/)
    const copy = new DatabaseSync(join(cwd, 'copy.db'), { readOnly: true })
    const mode = copy.prepare('pragma journal_mode').get()
    copy.close()
    assert.equal(mode?.['journal_mode'], 'delete', 'it needs no log beside it, even to be read')
    assert.notEqual(identities[0], identities[1])
  })

  it('replaces a file only with --force, and never the database or what is no file', async (test) => {
    const cwd = temporaryDirectory(test)
    await fillDatabase(join(cwd, 'messages.db'), [flatBody()])
    writeFileSync(join(cwd, 'copy.db'), 'precious')
    writeFileSync(join(cwd, 'open.db-wal'), '')
    writeFileSync(join(cwd, 'api-key'), 'a-key')
    const refused: [string[], RegExp][] = [
      [['copy.db'], /copy\.db exists; --force replaces it/],
      [['--force', 'messages.db'], /is the database itself/],
      [['--force', './messages-search.db'], /is the database itself/],
      [['--force', 'messages.db-wal'], /messages\.db-wal belongs to the database messages\.db/],
      [['--force', './messages.db-shm'], /belongs to the database/],
      [['messages.db-journal'], /belongs to the database/],
      [['--force', 'messages-search.db-wal'], /belongs to the database/],
      [['--force', 'api-key'], /api-key holds the key of the service/],
      [['--force', '.'], /no regular file/],
      [['--force', 'open.db'], /in use as a database: there is open\.db-wal/],
      [[''], /name of the file to write is empty/],
    ]
    for (const [args, sentence] of refused) {
      const { code, stderr } = await runCommand(['backup', ...args], { cwd, environment })
      assert.equal(code, 2)
      assert.match(stderr, sentence)
    }
    assert.equal(statSync(join(cwd, 'copy.db')).size, 'precious'.length)
    const forced = await runCommand(['backup', '--force', 'copy.db'], { cwd, environment })
    assert.equal(forced.code, 0)
    assert.equal(idsIn(join(cwd, 'copy.db')).length, 1)
  })

  it('copies a database that has no search index beside it, such as another backup', async (test) => {
    const cwd = temporaryDirectory(test)
    await fillDatabase(join(cwd, 'messages.db'), [flatBody()])
    for (const file of ['messages-search.db', 'messages-search.db-wal', 'messages-search.db-shm']) {
      rmSync(join(cwd, file), { force: true })
    }
    const { code, stderr } = await runCommand(['backup', 'copy.db'], { cwd, environment })
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    const again = ['backup', 'again.db', '--database', 'sqlite:///copy.db']
    assert.equal((await runCommand(again, { cwd, environment })).code, 0)
    assert.equal(idsIn(join(cwd, 'again.db')).length, 1)
    const inItsPlace = await runCommand(['backup', 'messages-search.db'], { cwd, environment })
    assert.match(inItsPlace.stderr, /is the database itself/)
  })

  it('keeps nothing of a copy that is damaged or cannot be written', async (test) => {
    const cwd = temporaryDirectory(test)
    await fillDatabase(join(cwd, 'messages.db'), [flatBody()])
    const missing = await runCommand(['backup', 'nowhere/copy.db'], { cwd, environment })
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /nowhere \(ENOENT\)/)
    damage(join(cwd, 'messages.db'))
    const damaged = await runCommand(['backup', 'copy.db'], { cwd, environment })
    assert.equal(damaged.code, 1)
    assert.match(damaged.stderr, /damaged|malformed/)
    assert.ok(!namesIn(cwd).some((name) => name.startsWith('copy')), namesIn(cwd).join())
  })

  it('leaves nothing under its name when it is killed, and nothing at all when it is stopped', async (test) => {
    const cwd = temporaryDirectory(test)
    await fillDatabase(join(cwd, 'messages.db'), [flatBody()])
    enlarge(join(cwd, 'messages.db'))
    await interrupt(cwd, 'SIGKILL')
    assert.ok(!existsSync(join(cwd, 'copy.db')))
    const left = namesIn(cwd).filter((name) => name.startsWith('copy'))
    assert.equal(left.length, 1)
    assert.match(left[0] ?? '', /^copy\.db\.partial-/)
    assert.equal(statSync(join(cwd, left[0] ?? '')).mode & 0o777, 0o700)

    await interrupt(cwd, 'SIGTERM')
    assert.deepEqual(
      namesIn(cwd).filter((name) => name.startsWith('copy')),
      left,
    )
  })
})

/** Posts until it is stopped, eight at a time; knows what was answered 200. */
function sendEndlessly(url: string) {
  const acknowledged: string[] = []
  let stopped = false
  let next = 0
  const send = async () => {
    while (!stopped) {
      const number = next++
      const body = JSON.stringify(
        flatBody({ message_id: `number-${number}`, text: `This is number ${number}` }),
      )
      const headers = { 'x-signature': signature(body) }
      const answer = await fetch(`${url}/webhook`, { method: 'POST', headers, body })
      await answer.arrayBuffer()
      if (answer.status === 200) acknowledged.push(`number-${number}`)
    }
  }
  const senders = Promise.all(Array.from({ length: 8 }, send))
  return {
    acknowledged,
    stop: async () => {
      stopped = true
      await senders
    },
  }
}

function idsIn(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = database.prepare('select message_id as id from messages').all()
  database.close()
  return rows.map((row) => String(row['id']))
}

function countOf(ids: ReadonlySet<string>, pattern: RegExp): number {
  return [...ids].filter((id) => pattern.test(id)).length
}

/** What lies there, without what SQLite keeps beside a database that is open. */
function namesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => !/-(wal|shm)$/.test(name))
    .sort()
}

function damage(file: string): void {
  const database = new DatabaseSync(file, { defensive: false })
  database.exec(`
    pragma writable_schema = on;
    update sqlite_schema set rootpage = 3 where name = 'messages_by_id'`)
  database.close()
}

/** Large enough that a copy takes a while. */
function enlarge(file: string): void {
  const database = new DatabaseSync(file)
  database.exec(`
    pragma synchronous = off;
    with recursive numbers (n) as (select 2 union all select n + 1 from numbers where n < 150)
    insert into intakes
      select n, 'flat', 0, x'', 0, '{}', 'identity', randomblob(1000000) from numbers`)
  database.close()
}

/**
 * Ends a backup to copy.db by a signal while it is being written. One that was faster is taken again, also
 * where it was about to end: a copy that is always there too early is still found.
 */
async function interrupt(cwd: string, signal: NodeJS.Signals, tries = 5): Promise<void> {
  const existing = namesIn(cwd).length
  const { child, result } = startCommand(['backup', 'copy.db'], { cwd, environment })
  await until('the copy is begun', () => namesIn(cwd).length > existing)
  child.kill(signal)
  const ended = await result
  if (existsSync(join(cwd, 'copy.db')) && tries > 1) {
    rmSync(join(cwd, 'copy.db'))
    return interrupt(cwd, signal, tries - 1)
  }
  assert.equal(ended.signal, signal)
}

async function sendOne(url: string, message_id: string): Promise<void> {
  const body = JSON.stringify(flatBody({ message_id }))
  const headers = { 'x-signature': signature(body) }
  const answer = await fetch(`${url}/webhook`, { method: 'POST', headers, body })
  assert.equal(answer.status, 200)
}

async function eventsAfter(url: string, after: number) {
  const answer = await fetch(`${url}/events?after=${after}`)
  assert.equal(answer.status, 200)
  const { data, next } = (await answer.json()) as { data: { key: string }[]; next: number }
  return { ids: data.map(({ key }) => key), next }
}
