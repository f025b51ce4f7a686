import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import type { SequenceEntry } from '../../src/app/model/event.ts'
import { parseFlatMessage } from '../../src/app/receive/flat.ts'
import { type CopyProgress, copyStore } from '../../src/app/store/copy/copy-store.ts'
import { openCopySource, openCopyTarget } from '../../src/app/store/copy/ends.ts'
import { TABLES, UNFINISHED } from '../../src/app/store/sql/tables.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { type AMessage, insertAll, intakeOf } from '../support/a-message.ts'
import { anEdit, aStatus, aText, at, change } from '../support/cloud-api.ts'
import { ARRIVAL, intakeWith } from '../support/cloud-intake.ts'
import { NARROW, newDatabase } from '../support/databases.ts'
import { databaseUrl, openEitherStore } from '../support/either-store.ts'
import { ENGINES, type Engine } from '../support/engines.ts'
import { freePort } from '../support/free-port.ts'
import { connectFor, ingest, isLockAwaited } from '../support/postgres-stores.ts'
import { runCommand, startCommand } from '../support/run-command.ts'
import { flatBody, toBytes } from '../support/signed.ts'
import { findingsIn } from '../support/sound.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

/** How late each answer of a server comes where a copy is cut off, so that it is not done by then. */
const SLOW_MS = 20

/** Where a copy is cut off: at so many rows of which work. */
const CUTS = [
  ['Copying', 1],
  ['Copying', 70],
  ['Copying', 100],
  ['Comparing', 1],
] as const

/** A link to a database on which a copy takes some seconds. */
async function slowLinkTo(url: string, t: TestContext): Promise<TcpProxy> {
  const link = await TcpProxy.start(t, Number(new URL(url).port))
  link.slowDown(SLOW_MS)
  return link
}

async function openAt(t: TestContext, url: string): Promise<MessageStore> {
  const store = await openEitherStore(databaseUrl(url))
  t.after(() => store.close())
  return store
}

/** A database to copy to, on this engine, and one to copy from, on the other. */
async function betweenEngines(t: TestContext, engine: Engine): Promise<[string, string]> {
  const cwd = temporaryDirectory(t)
  const urls = await Promise.all(ENGINES.map(async (each) => (await each.newDatabase(cwd)).url))
  const [from, to] = engine === ENGINES[0] ? urls.reverse() : urls
  assert.ok(from !== undefined && to !== undefined)
  return [from, to]
}

/** A message whose body says what it says. */
function aFlatMessage(id: string, sender = 0): AMessage {
  const body = toBytes(flatBody({ message_id: id, from: `+1415555${1000 + sender}` }))
  return { ...parseFlatMessage(body), body }
}

/** A bit of everything: people, edits, statuses, reactions, large and small bodies. */
async function fill(url: string, t: TestContext): Promise<void> {
  const store = await openAt(t, url)
  const texts = Array.from({ length: 60 }, (_, i) => aFlatMessage(`flat-${i}`, i % 13))
  await insertAll(store, texts)
  const edit = anEdit('a', 'edited words', { id: 'e', ...at(100) })
  const reaction = aText({
    ...{ id: 'r', type: 'reaction', text: undefined },
    reaction: { message_id: 'a', emoji: '👍' },
  })
  await store.insert([
    intakeWith(
      change({ messages: [aText({ id: 'a', from_user_id: 'US.1' }), edit, reaction] }),
      change({ statuses: [aStatus('a', 'sent'), aStatus('a', 'read'), aStatus('z', 'failed')] }),
      change({ errors: [{ code: 1 }] }),
    ),
    intakeWith(change({ messages: [aText({ id: 'b', text: { body: 'ä'.repeat(4000) } })] })),
  ])
  await store.close()
}

/** The same, and so many more that a copy takes a while. */
async function fillWithMany(url: string, t: TestContext): Promise<void> {
  await fill(url, t)
  const store = await openAt(t, url)
  await insertAll(
    store,
    Array.from({ length: 4000 }, (_, i) => aFlatMessage(`many-${i}`)),
  )
  await store.close()
}

/** The raw bodies that are there, which are copied first; 0 where there are no tables yet. */
async function bodiesIn(url: string): Promise<number> {
  const client = new Client(url)
  await client.connect()
  try {
    const { rows } = await client.query('select count(*) as count from intakes')
    return Number(rows[0]?.count)
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, '42P01')
    return 0
  } finally {
    await client.end()
  }
}

/** Copies in this process; resolves with what differs in the end. */
async function copied(from: string, to: string, onProgress: CopyProgress = () => {}) {
  const source = await openCopySource(databaseUrl(from))
  const target = await openCopyTarget(databaseUrl(to))
  try {
    return (await copyStore(source, target, onProgress)).differs
  } finally {
    await source.close()
    await target.close()
  }
}

/** Begins to copy, and is cut off at so many rows. */
async function copyUntil(from: string, to: string, [cutIn, rows]: (typeof CUTS)[number]) {
  const copying = copied(from, to, (work, done) => {
    if (work === cutIn && done >= rows) throw new Error('cut off')
  })
  await assert.rejects(copying, /cut off/)
}

async function assertSound(url: string): Promise<void> {
  assert.deepEqual(await findingsIn(databaseUrl(url)), [])
}

function intakeIn(entry: SequenceEntry): number {
  return entry.kind === 'message' ? entry.intake : entry.event.intake
}

/** Everything a reader can see. */
async function seenIn(store: MessageStore) {
  const bodies = new Map<number, Uint8Array | null>()
  const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 1000 })
  for (const entry of entries) {
    const id = intakeIn(entry)
    bodies.set(id, Uint8Array.from((await store.rawBody(id)) ?? []))
  }
  const request = { order: 'asc', limit: 100, offset: 0 } as const
  return {
    ...{ entries, bodies, stats: await store.stats(), a: await store.find('a') },
    conversations: await store.conversations({ limit: 100 }),
    edited: await store.page({ ...request, filter: { search: 'edited' } }),
    all: await store.page({ ...request, filter: {} }),
  }
}

describe('migrate-store', () => {
  it('keeps the log of a SQLite file short, however much is copied', async (t) => {
    const file = join(temporaryDirectory(t), 'target.db')
    const target = await openCopyTarget({ engine: 'sqlite', file })
    t.after(() => target.close())
    const [intakes] = TABLES
    assert.ok(intakes?.name === 'intakes')
    for (let id = 1; id <= 40; id++) {
      const body = randomBytes(1024 * 1024)
      await target.write(intakes, [[id, 'flat', id, body.subarray(0, 32), body.length, '{}', body]])
    }
    const bytes = statSync(`${file}-wal`).size
    assert.ok(bytes < 20 * 1024 * 1024, `the log has ${bytes} bytes`)
  })

  it('copies SQLite into PostgreSQL and back, and nothing a reader can see changes', async (t) => {
    const cwd = temporaryDirectory(t)
    const first = `sqlite:///${join(cwd, 'first.db')}`
    const second = await newDatabase()
    const third = `sqlite:///${join(cwd, 'third.db')}`
    await fill(first, t)
    const forth = await runCommand(['migrate-store', first, second], { cwd })
    assert.equal(forth.code, 0, forth.stderr)
    assert.match(forth.stdout, /^messages: 63 rows, sha256 [0-9a-f]{64}, equal$/m)
    const back = await runCommand(['migrate-store', second, third], { cwd })
    assert.deepEqual([back.code, back.stderr], [0, ''])
    assert.equal(back.stdout, forth.stdout, 'the digests are those of the rows, not of an engine')
    const expected = await seenIn(await openAt(t, first))
    for (const url of [second, third]) {
      const store = await openAt(t, url)
      assert.deepEqual(await seenIn(store), expected)
      // What comes next is new, and gets new numbers.
      await insertAll(store, [aFlatMessage('next')])
      const last = expected.entries.length
      const { entries } = await store.eventsAfter({ filter: {}, after: last, limit: 9 })
      assert.equal(entries.length, 1)
      assert.deepEqual((await insertAll(store, [aFlatMessage('next')]))[0]?.kind, 'duplicate')
      await store.close()
    }
    const verified = await runCommand(['verify', '--database', third], { cwd })
    assert.equal(verified.code, 0, verified.stdout)
  })

  it('keeps the gaps in the numbers of PostgreSQL, and gives none of them again', async (t) => {
    const cwd = temporaryDirectory(t)
    const from = await newDatabase()
    const source = await openAt(t, from)
    const client = await connectFor(t, from)
    await client.query("select nextval('event_seq')")
    for (const id of ['one', 'two', 'one', 'three', 'two', 'two']) {
      await insertAll(source, [aFlatMessage(id)])
    }
    await source.close()
    for (const to of [`sqlite:///${join(cwd, 'to.db')}`, await newDatabase()]) {
      // One that is cut off behind its end counts and numbers once more.
      await copyUntil(from, to, ['Comparing', 1])
      const { code, stderr } = await runCommand(['migrate-store', from, to], { cwd })
      assert.equal(code, 0, stderr)
      const copy = await openAt(t, to)
      assert.equal(await copy.lastSeq(), 7, 'a follower has read up to here')
      await insertAll(copy, [aFlatMessage('next')])
      const { entries } = await copy.eventsAfter({ filter: {}, after: 7, limit: 9 })
      assert.equal(entries.length, 1)
      await copy.close()
      const verified = await runCommand(['verify', '--database', to], { cwd })
      assert.equal(verified.code, 0, verified.stdout)
    }
  })

  it('copies out of a database whose encoding lacks characters, and into none', async (t) => {
    const cwd = temporaryDirectory(t)
    const narrow = await newDatabase(NARROW)
    // A start is refused, but leaves the schema of today, without which nothing could be copied.
    await assert.rejects(openAt(t, narrow), /encoding LATIN1/)
    const client = new Client(narrow)
    await client.connect()
    await ingest(client, [intakeOf(aFlatMessage('kept'))])
    await client.end()
    const copied = await runCommand(['migrate-store', narrow, await newDatabase()], { cwd })
    assert.equal(copied.code, 0, copied.stderr)
    assert.match(copied.stdout, /^messages: 1 rows, sha256 [0-9a-f]{64}, equal$/m)
    const from = `sqlite:///${join(cwd, 'from.db')}`
    await (await openAt(t, from)).close()
    const refused = await runCommand(['migrate-store', from, await newDatabase(NARROW)], { cwd })
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /can't be copied to: its encoding LATIN1 .* with encoding UTF8, and copy into it/,
    )
  })

  for (const engine of ENGINES) {
    for (const cut of CUTS) {
      it(`to ${engine.name}: goes on where it was cut off, here while ${cut.join(' ')} rows; until then no service takes it`, async (t) => {
        const cwd = temporaryDirectory(t)
        const from = `sqlite:///${join(cwd, 'from.db')}`
        const { url: to } = await engine.newDatabase(cwd)
        await fill(from, t)
        await copyUntil(from, to, cut)
        await assert.rejects(openAt(t, to), /not complete: run migrate-store again/)
        const { code, stderr } = await runCommand(['migrate-store', from, to], { cwd })
        assert.equal(code, 0, stderr)
        await assertSound(to)
        assert.deepEqual(await seenIn(await openAt(t, to)), await seenIn(await openAt(t, from)))
      })
    }

    it(`to ${engine.name}: leaves alone what holds another store, or a part of the copy of one`, async (t) => {
      const cwd = temporaryDirectory(t)
      const [from, other] = ['from.db', 'other.db'].map((name) => `sqlite:///${join(cwd, name)}`)
      assert.ok(from !== undefined && other !== undefined)
      await fill(from, t)
      await fill(other, t)
      const { url: full } = await engine.newDatabase(temporaryDirectory(t))
      await fill(full, t)
      const { url: part } = await engine.newDatabase(temporaryDirectory(t))
      await copyUntil(other, part, ['Copying', 1])
      for (const to of [full, part]) {
        const { code, stderr } = await runCommand(['migrate-store', from, to], { cwd })
        assert.deepEqual([code, stderr], [1, 'The store to copy to is not empty.\n'])
      }
      assert.deepEqual(await copied(other, part), [], 'that one goes on')
      await assertSound(part)
    })

    for (const [what, intakes] of [
      ['in which there is nothing', []],
      ['without a message', [intakeWith(change({ statuses: [aStatus('z', 'failed')] }))]],
    ] as const) {
      it(`to ${engine.name}: copies a store ${what}, and what comes next gets the next numbers`, async (t) => {
        const [from, to] = await betweenEngines(t, engine)
        const source = await openAt(t, from)
        if (intakes.length > 0) await source.insert(intakes)
        await source.close()
        assert.deepEqual(await copied(from, to), [])
        await assertSound(to)
        const copy = await openAt(t, to)
        assert.deepEqual(await seenIn(copy), await seenIn(await openAt(t, from)))
        await insertAll(copy, [aFlatMessage('next')])
        const { entries } = await copy.eventsAfter({ filter: {}, after: intakes.length, limit: 9 })
        assert.deepEqual(entries.map(intakeIn), [intakes.length + 1])
        assert.equal(await copy.lastSeq(), intakes.length + 1)
      })
    }

    for (const [what, item] of [
      ['a message', { messages: [aText()] }],
      ['a status', { statuses: [aStatus('z', 'failed')] }],
    ] as const) {
      it(`to ${engine.name}: gives the number of a body that has expired to no other, though ${what} came last`, async (t) => {
        const [from, to] = await betweenEngines(t, engine)
        const source = await openAt(t, from)
        await source.insert([intakeWith(change(item))])
        while ((await source.expireIntakes(ARRIVAL + 1)) === 'more');
        await source.close()
        assert.deepEqual(await copied(from, to), [])
        await assertSound(to)
        const copy = await openAt(t, to)
        await insertAll(copy, [aFlatMessage('next')])
        const { entries } = await copy.eventsAfter({ filter: {}, after: 0, limit: 9 })
        const bodies = await Promise.all(entries.map((entry) => copy.rawBody(intakeIn(entry))))
        assert.deepEqual(
          bodies.map((body) => body !== null),
          [false, true],
        )
      })
    }
  }

  it('copies no body that has expired, though PostgreSQL may still have it on its disk', async (t) => {
    const from = await newDatabase()
    const source = await openAt(t, from)
    const client = await connectFor(t, from)
    await client.query("select make_days_1('2025-01-15', 1)")
    await source.insert([intakeWith(change({ messages: [aText()] }))])
    while ((await source.expireIntakes(ARRIVAL + 1)) === 'more');
    assert.equal(await bodiesIn(from), 1, 'its day goes as a whole')
    const to = `sqlite:///${join(temporaryDirectory(t), 'to.db')}`
    const totals = new Set<number>()
    assert.deepEqual(await copied(from, to, (_, __, total) => totals.add(total)), [])
    assert.deepEqual([await (await openAt(t, to)).rawBody(1), [...totals]], [null, [3, 6]])
  })

  it('tells how far it is, also where a part had been copied before', async (t) => {
    const cwd = temporaryDirectory(t)
    const [from, to] = [`sqlite:///${join(cwd, 'from.db')}`, `sqlite:///${join(cwd, 'to.db')}`]
    await fill(from, t)
    await copyUntil(from, to, ['Copying', 70])
    const told = { Copying: [] as number[], Comparing: [] as number[] }
    let all = 0
    await copied(from, to, (work, done, total) => {
      told[work].push(done)
      if (work === 'Copying') all = total
      assert.equal(total, work === 'Copying' ? all : 2 * all)
    })
    for (const [work, total] of [
      ['Copying', all],
      ['Comparing', 2 * all],
    ] as const) {
      assert.equal(told[work].at(-1), total)
      assert.deepEqual(
        told[work],
        told[work].toSorted((a, b) => a - b),
      )
    }
    assert.ok((told.Copying[0] ?? 0) > 70, 'it goes on where it was')
  })

  it('makes the file that it copies to private, also one that is there', async (t) => {
    const cwd = temporaryDirectory(t)
    for (const name of ['new.db', 'empty.db']) {
      const file = join(cwd, name)
      if (name === 'empty.db') {
        writeFileSync(file, '')
        chmodSync(file, 0o644)
      }
      const target = await openCopyTarget({ engine: 'sqlite', file })
      assert.equal(statSync(file).mode & 0o777, 0o600, name)
      await target.close()
    }
  })

  it('goes on after it was killed, at whatever moment', async (t) => {
    const cwd = temporaryDirectory(t)
    const from = `sqlite:///${join(cwd, 'from.db')}`
    const to = await newDatabase()
    await fillWithMany(from, t)
    const link = await slowLinkTo(to, t)
    const first = startCommand(['migrate-store', from, link.urlFor(to)], { cwd })
    await until('rows arrive', async () => (await bodiesIn(to)) > 0)
    first.child.kill('SIGKILL')
    await first.result
    const bodies = await bodiesIn(to)
    assert.ok(bodies < 4062, `the copying is cut off in its midst, here after ${bodies} bodies`)
    for (let ms = 200; ; ms *= 1.5) {
      const { child, result } = startCommand(['migrate-store', from, to], { cwd })
      await delay(ms)
      child.kill('SIGKILL')
      const { code, stderr } = await result
      if (code === null) continue
      assert.equal(code, 0, stderr)
      break
    }
    assert.deepEqual(await seenIn(await openAt(t, to)), await seenIn(await openAt(t, from)))
  })

  it('says of a connection that is lost in its midst what to do, and goes on when it is run again', async (t) => {
    const cwd = temporaryDirectory(t)
    const from = `sqlite:///${join(cwd, 'from.db')}`
    const to = await newDatabase()
    await fillWithMany(from, t)
    const link = await slowLinkTo(to, t)
    const { result } = startCommand(['migrate-store', from, link.urlFor(to)], { cwd })
    await until('rows arrive', async () => (await bodiesIn(to)) > 0)
    link.cut()
    const { code, stderr } = await result
    assert.equal(code, 1)
    assert.match(
      stderr,
      /The PostgreSQL database can't be copied to: the connection to \S+ was lost \(\w+\): try again\.\n$/,
    )
    const again = await runCommand(['migrate-store', from, to], { cwd })
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual(await seenIn(await openAt(t, to)), await seenIn(await openAt(t, from)))
  })

  it('compares once more after its end, and copies nothing', async (t) => {
    const cwd = temporaryDirectory(t)
    const [from, to] = [`sqlite:///${join(cwd, 'from.db')}`, await newDatabase()]
    await fill(from, t)
    const first = await runCommand(['migrate-store', from, to], { cwd })
    assert.deepEqual(await runCommand(['migrate-store', from, to], { cwd }), first)
    const copy = await openAt(t, to)
    await insertAll(copy, [aFlatMessage('only in the copy')])
    await copy.close()
    const { code, stdout } = await runCommand(['migrate-store', from, to], { cwd })
    assert.equal(code, 1)
    assert.match(stdout, /^messages: 64 rows, sha256 [0-9a-f]{64}, DIFFERENT$/m)
  })

  it('waits for what one that was killed had sent, and for no other copy', async (t) => {
    const cwd = temporaryDirectory(t)
    const [from, to] = [`sqlite:///${join(cwd, 'from.db')}`, await newDatabase()]
    await fill(from, t)
    const other = await openCopyTarget(databaseUrl(to))
    const { result } = startCommand(['migrate-store', from, to], { cwd })
    const watcher = await connectFor(t, to)
    await until('it waits for the other', () => isLockAwaited(watcher))
    await other.close()
    const waited = await result
    assert.equal(waited.code, 0, waited.stderr)
    const stays = await openCopyTarget(databaseUrl(to))
    const { code, stderr } = await runCommand(['migrate-store', from, to], { cwd })
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^The PostgreSQL database can't be copied to: another migrate-store writes /,
    )
    await stays.close()
  })

  it('says what differs where the source changed meanwhile, and no service takes the copy', async (t) => {
    const cwd = temporaryDirectory(t)
    const file = join(cwd, 'from.db')
    await fill(`sqlite:///${file}`, t)
    for (const [table, sql] of [
      ['messages', "update messages set text = 'changed' where seq = 1"],
      ['intakes', "update intakes set encoding = 'identity', body = x'7b7d' where id = 62"],
      ['intakes', "update intakes set sha256 = x'7b7d' where id = 62"],
    ] as const) {
      const to = `sqlite:///${join(temporaryDirectory(t), 'to.db')}`
      const differs = await copied(`sqlite:///${file}`, to, (work) => {
        if (work !== 'Comparing') return
        const database = new DatabaseSync(file)
        database.exec(sql)
        database.close()
      })
      assert.deepEqual(differs, [table], sql)
      await assert.rejects(openAt(t, to), /not complete: run migrate-store again/)
    }
  })

  it('copies from no database without a schema, nor does export, and both say what to do', async (t) => {
    const cwd = temporaryDirectory(t)
    const empty = await newDatabase()
    for (const [args, what] of [
      [['migrate-store', empty, `sqlite:///${join(cwd, 'new.db')}`], 'copied'],
      [['export', '--format', 'csv', '--database', empty], 'exported'],
    ] as const) {
      const { code, stderr } = await runCommand(args, { cwd })
      assert.equal(code, 1)
      assert.equal(
        stderr,
        `The PostgreSQL database can't be ${what}: it has no schema yet: start the service on it once, or name another database.\n`,
      )
    }
  })

  for (const engine of ENGINES) {
    it(`${engine.name}: copies from no copy that is not complete, nor does the service or any other command take it for whole`, async (t) => {
      const cwd = temporaryDirectory(t)
      const { url: half } = await engine.newDatabase(cwd)
      const target = await openCopyTarget(databaseUrl(half))
      await target.setIdentity(`0${UNFINISHED}`)
      await target.close()
      await assert.rejects(openAt(t, half), /\b[Ii]t is a copy that is not complete: run migrate/)
      const commands = [
        ['migrate-store', half, `sqlite:///${join(cwd, 'new.db')}`],
        ['export', '--format', 'csv', '--database', half],
        ['verify', '--database', half],
      ]
      if (engine.name === 'SQLite') commands.push(['backup', 'copy.db', '--database', half])
      for (const args of commands) {
        const { code, stderr } = await runCommand(args, { cwd })
        assert.equal(code, 1, args.join(' '))
        assert.match(
          stderr,
          /\b[Ii]t is a copy that is not complete: run migrate-store again, with the same two URLs\.\n$/,
        )
      }
      assert.equal(existsSync(join(cwd, 'copy.db')), false)
    })
  }

  it('names the file that it can not copy, or not copy to', async (t) => {
    const cwd = temporaryDirectory(t)
    const directory = `sqlite:///${join(cwd, 'directory')}`
    mkdirSync(join(cwd, 'directory'))
    await fill(`sqlite:///${join(cwd, 'messages.db')}`, t)
    writeFileSync(join(cwd, 'text.db'), 'no database '.repeat(1000))
    const text = `sqlite:///${join(cwd, 'text.db')}`
    const good = `sqlite:///${join(cwd, 'messages.db')}`
    const missing = await runCommand(['migrate-store', `sqlite:///${cwd}/no.db`, good], { cwd })
    const said = `There is no database at ${cwd}/no.db.\n`
    assert.deepEqual([missing.code, missing.stderr], [1, said])
    for (const [from, to, said] of [
      [directory, good, `${cwd}/directory can't be copied: It is no regular file.`],
      [good, directory, `${cwd}/directory can't be copied to: It is no regular file.`],
      [text, good, `${cwd}/text.db can't be copied: file is not a database.`],
      [good, text, `${cwd}/text.db can't be copied to: file is not a database.`],
    ] as const) {
      const { code, stderr } = await runCommand(['migrate-store', from, to], { cwd })
      assert.deepEqual([code, stderr], [1, `The database ${said}\n`])
    }
  })

  it('copies neither from nor to a temporary database', async () => {
    const url = databaseUrl('sqlite://')
    for (const open of [openCopySource, openCopyTarget]) {
      await assert.rejects(open(url), /^Error: A temporary database can neither be copied nor/)
    }
  })

  it('says of an end that can not be reached what to do, and never its password', async (t) => {
    const cwd = temporaryDirectory(t)
    const file = `sqlite:///${join(cwd, 'messages.db')}`
    await fill(file, t)
    const full = await newDatabase()
    await (await openAt(t, full)).close()
    const away = `postgresql://user:a-password@127.0.0.1:${await freePort()}/database`
    const missing = new URL(full)
    missing.pathname = '/not-there'
    const none = await runCommand(['migrate-store', file, missing.href], { cwd })
    assert.match(none.stderr, /^The PostgreSQL database can't be copied to: .*not-there.*[^.]\.\n$/)
    for (const [from, to, what] of [
      [file, away, 'copied to'],
      [full, away, 'copied to'],
      [away, `sqlite:///${join(cwd, 'new.db')}`, 'copied'],
    ] as const) {
      const { code, stderr } = await runCommand(['migrate-store', from, to], { cwd })
      assert.equal(code, 1)
      const said = `The PostgreSQL database can't be ${what}: 127.0.0.1:`
      assert.ok(stderr.startsWith(said), stderr)
      assert.match(stderr, /^.* refuses connections: is PostgreSQL running there, .*\?\n$/)
      assert.doesNotMatch(stderr, /a-password/)
    }
  })

  for (const [args, reason] of [
    [[], /There is no FROM_URL/],
    [['sqlite:///a.db'], /There is no TO_URL/],
    [['sqlite:///a.db', 'nonsense'], /^TO_URL should be a URL/],
    [['sqlite:///a.db', 'sqlite:///b.db', 'c'], /one argument too many/],
  ] as const) {
    it(`is refused with ${JSON.stringify(args)}`, async (t) => {
      const cwd = temporaryDirectory(t)
      const { code, stderr } = await runCommand(['migrate-store', ...args], { cwd })
      assert.equal(code, 2)
      assert.match(stderr, reason)
    })
  }
})
