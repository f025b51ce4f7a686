// What is particular to the SQLite engine: its files, their modes, their settings and their faults.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { StoreFailedError } from '../../src/app/errors.ts'
import { fold } from '../../src/app/model/fold.ts'
import { openWriter } from '../../src/app/store/sqlite/connection.ts'
import { openSqliteStore } from '../../src/app/store/sqlite/sqlite-store.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { type AMessage, aMessage, insertAll, sendAll } from '../support/a-message.ts'
import { openFilesIn, TELLS_OPEN_FILES } from '../support/open-files.ts'
import { until } from '../support/until.ts'

let directory = ''
let file = ''
let searchFile = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-files-'))
  file = join(directory, 'data', 'messages.db')
  searchFile = join(directory, 'data', 'messages-search.db')
})

afterEach(() => rmSync(directory, { recursive: true }))

describe('the files of the SQLite engine', () => {
  it('are for their owner alone, whatever the umask', async () => {
    const umask = process.umask(0)
    try {
      const store = await open()
      await insertAll(store, [aMessage({})])
      assert.equal(modeOf(join(directory, 'data')), 0o700)
      for (const suffix of ['', '-wal', '-shm']) {
        assert.equal(modeOf(`${file}${suffix}`), 0o600, suffix)
        assert.equal(modeOf(`${searchFile}${suffix}`), 0o600, suffix)
      }
      await store.close()
    } finally {
      process.umask(umask)
    }
  })

  it('lose the rights of others when they had some', async () => {
    await (await open()).close()
    for (const each of [file, searchFile]) chmodSync(each, 0o644)
    await (await open()).close()
    assert.deepEqual([file, searchFile].map(modeOf), [0o600, 0o600])
  })

  it("are never another program's: its tables are left as they are", async () => {
    file = join(directory, 'other.db')
    const other = new DatabaseSync(file)
    other.exec("create table messages (a); insert into messages values ('theirs')")
    other.close()
    await assert.rejects(open, /can't be used: The file holds tables of another program/)
    assert.deepEqual(
      [
        readOne('select a from messages')['a'],
        readOne('select count(*) as n from sqlite_schema')['n'],
      ],
      ['theirs', 1],
    )
  })

  it('hold the raw body byte for byte with its SHA-256', async () => {
    const body = Buffer.from('{"message_id": "x",\n "extra": "\\u0000 é" }')
    await withStore(async (store) => {
      await insertAll(store, [aMessage({ messageId: 'x', body })])
    })
    const row = readOne('select body, sha256, bytes from intakes')
    assert.deepEqual(Buffer.from(row['body'] as Uint8Array), body)
    assert.deepEqual(
      Buffer.from(row['sha256'] as Uint8Array),
      createHash('sha256').update(body).digest(),
    )
  })

  it('number messages in the order of their commits, without gaps for duplicates', async () => {
    await withStore(async (store) => {
      await insertAll(store, [aMessage({ messageId: 'a' }), aMessage({ messageId: 'a' })])
      await insertAll(store, [aMessage({ messageId: 'a' }), aMessage({ messageId: 'b' })])
    })
    assert.deepEqual(read('select seq, message_id from messages order by seq'), [
      { seq: 1, message_id: 'a' },
      { seq: 2, message_id: 'b' },
    ])
    assert.equal(readOne('select last_seq from totals')['last_seq'], 2)
  })

  it('use a write-ahead log', async () => {
    await withStore(async () => {
      assert.equal(readOne('pragma journal_mode')['journal_mode'], 'wal')
    })
  })

  it('are all in the database after a clean end', async () => {
    await withStore(async (store) => {
      await insertAll(store, [aMessage({ messageId: 'kept' })])
    })
    const copy = join(directory, 'copy.db')
    copyFileSync(file, copy)
    assert.equal(readOne('select message_id from messages', copy)['message_id'], 'kept')
  })

  it('are measured with their logs, and with those of the search index', async () => {
    await withStore(async (store) => {
      await insertAll(store, [aMessage({ messageId: 'one' })])
      await indexed(1)
      const names = readdirSync(dirname(file)).filter((name) => !name.endsWith('-shm'))
      assert.equal(names.length, 4)
      const sizes = names.map((name) => statSync(join(dirname(file), name)).size)
      const size = sizes.reduce((sum, bytes) => sum + bytes, 0)
      assert.equal(await store.sizeBytes(), size)
      rmSync(`${searchFile}-wal`)
      assert.ok((await store.sizeBytes()) < size, 'without one of them too')
    })
  })

  it('are probed once for all who ask at one moment', async () => {
    await withStore(async (store) => {
      const probe = store.probe()
      assert.equal(store.probe(), probe)
      await probe
      const next = store.probe()
      assert.notEqual(next, probe)
      await next
    })
  })

  it('are left to the next start, log and all, after a failure', async () => {
    const store = await open()
    await insertAll(store, [aMessage()])
    rmSync(`${file}-shm`)
    await assert.rejects(insertAll(store, [aMessage()]), StoreFailedError)
    assert.match((await store.failed).reason, /messages\.db-shm was deleted or replaced/)
    await store.close()
    assert.ok(statSync(`${file}-wal`).size > 0)
  })

  it('are not open any more after the end', { skip: !TELLS_OPEN_FILES }, async () => {
    await withStore(async (store) => {
      await insertAll(store, [aMessage()])
      assert.notDeepEqual(openFilesIn(directory), [])
    })
    assert.deepEqual(openFilesIn(directory), [])
  })

  it('hold nothing of a raw body that has expired', async () => {
    const store = await openSqliteStore({ file, onIndexError: assert.ifError })
    const bodies = Array.from({ length: 60 }, (_, n) =>
      Buffer.from(`{"an unknown field": "canary ${n} ${'x'.repeat(n * 300)} canary"}`),
    )
    await insertAll(
      store,
      bodies.map((body) => aMessage({ body })),
    )
    while ((await store.expireIntakes(Date.now() + 1)) === 'more');
    await store.close()
    assert.deepEqual(readdirSync(dirname(file)).sort(), ['messages-search.db', 'messages.db'])
    assert.equal(readFileSync(file).includes('canary'), false)
  })

  it('keep their log short while many messages arrive', async () => {
    await withStore(async (store) => {
      for (let batch = 0; batch < 12; batch++) {
        const body = randomBytes(1024 * 1024)
        const messages = Array.from({ length: 4 }, (_, i) =>
          aMessage({ messageId: `large-${batch}-${i}`, body }),
        )
        await insertAll(store, messages)
      }
      // 48 MiB went through a log that is copied at 32 MiB: it has begun anew at least once.
      await until('the log has been copied', async () => {
        await insertAll(store, [aMessage({ messageId: crypto.randomUUID() })])
        return statSync(file).size > 30 * 1024 * 1024
      })
    })
  })
})

describe('the search index beside the messages', () => {
  for (const [what, damage] of [
    ['is missing', () => rmSync(searchFile)],
    ['is garbage', () => writeFileSync(searchFile, Buffer.alloc(8192, 'garbage'))],
    ['is empty', () => writeFileSync(searchFile, '')],
    [
      'belongs to other messages',
      () => change(searchFile, "update search_state set identity = 'x'"),
    ],
    ['is ahead of its messages', () => change(searchFile, 'update search_state set watermark = 9')],
  ] as const) {
    it(`is built anew when it ${what}`, async () => {
      await withStore(async (store) => {
        await insertAll(store, [aMessage({ messageId: 'one', text: 'Hello World' })])
        await indexed(1)
      })
      damage()
      await withStore(async (store) => {
        assert.deepEqual(await found(store, 'WORLD'), ['one'])
        await indexed(1)
        await insertAll(store, [aMessage({ messageId: 'two', text: 'world wide' })])
        assert.deepEqual(await found(store, 'WORLD'), ['one', 'two'])
        await indexed(2)
        assert.deepEqual(await found(store, 'WORLD'), ['one', 'two'])
        assert.equal(readOne('select count(*) as n from search', searchFile)['n'], 2)
      })
    })
  }

  it('is not built anew where it is up to date', async () => {
    await withStore(async (store) => {
      await insertAll(store, [aMessage()])
      await indexed(1)
    })
    change(searchFile, 'pragma user_version = 7')
    await withStore(async () => {})
    assert.equal(readOne('pragma user_version', searchFile)['user_version'], 7)
  })

  it('goes on where it was when the service ended before it had caught up', async () => {
    await withStore(async (store) => {
      await insertAll(store, [aMessage({ messageId: 'one', text: 'Hello World' })])
      await indexed(1)
    })
    change(searchFile, 'delete from search where rowid = 1')
    change(searchFile, 'update search_state set watermark = 0')
    await withStore(async (store) => {
      assert.deepEqual(await found(store, 'world'), ['one'])
      await indexed(1)
      assert.deepEqual(await found(store, 'world'), ['one'])
    })
  })

  it('narrows a search and does not decide it: the trigrams apart are no match', async () => {
    await withStore(async (store) => {
      await insertAll(store, [aMessage({ messageId: 'apart', text: 'abcd bcde' })])
      await indexed(1)
      assert.deepEqual(await found(store, 'abcde'), [])
      assert.deepEqual(await found(store, 'cd bc'), ['apart'])
    })
  })
})

describe('a file that can not be used', () => {
  it('is refused with a sentence when it is no database', async () => {
    await (await open()).close()
    writeFileSync(file, Buffer.alloc(16_384, 'this is not a database '))
    await assert.rejects(open(), /not a database/)
  })

  it('is refused with a sentence when a newer version wrote it', async () => {
    await (await open()).close()
    change(file, 'pragma user_version = 999')
    await assert.rejects(open(), /schema 999.*newer version of the service/)
  })
})

describe('two services on one file', () => {
  it('make it one after the other where it is new', async () => {
    mkdirSync(dirname(file))
    const other = new Worker(
      `const { DatabaseSync } = require('node:sqlite')
       const { parentPort, workerData } = require('node:worker_threads')
       const database = new DatabaseSync(workerData)
       database.exec('begin immediate')
       parentPort.postMessage('has it')
       setTimeout(() => database.close(), 200)`,
      { eval: true, workerData: file },
    )
    await once(other, 'message')
    openWriter(file).close()
    await once(other, 'exit')
  })

  it('store one row when 50 copies of a message are in flight at once', async () => {
    const stores = await Promise.all([open(), open()])
    for (let round = 0; round < 5; round++) {
      const messageId = `copy-${round}`
      const batches = await Promise.all(
        Array.from({ length: 50 }, (_, i) => sent(stores[i % 2], aMessage({ messageId }))),
      )
      const kinds = batches.map(([outcome]) => outcome?.kind)
      assert.equal(kinds.filter((kind) => kind === 'created').length, 1)
      assert.equal(kinds.filter((kind) => kind === 'duplicate').length, 49)
    }
    const [first, second] = stores
    assert.equal((await first?.stats())?.totalMessages, 5)
    assert.deepEqual(await second?.stats(), await first?.stats())
    await Promise.all(stores.map((store) => store.close()))
    assert.equal(readOne('select count(*) as n from messages')['n'], 5)
  })
})

function open(): Promise<MessageStore> {
  return openSqliteStore({ file, onIndexError: assert.ifError })
}

async function sent(store: MessageStore | undefined, message: AMessage) {
  assert.ok(store)
  return sendAll(store, [message])
}

async function withStore(work: (store: MessageStore) => Promise<void>): Promise<void> {
  const store = await open()
  try {
    await work(store)
  } finally {
    await store.close()
  }
}

async function found(store: MessageStore, query: string): Promise<string[]> {
  const filter = { search: fold(query) }
  const { messages } = await store.page({ filter, order: 'asc', limit: 100, offset: 0 })
  return messages.map(({ messageId }) => messageId).sort()
}

/** Resolves once the index has reached a sequence number. */
function indexed(seq: number): Promise<void> {
  return until(
    'the index has caught up',
    () => readOne('select watermark from search_state', searchFile)['watermark'] === seq,
  )
}

/** Reads by a way of its own. */
function read(sql: string, from = file): Record<string, unknown>[] {
  const database = new DatabaseSync(from, { readOnly: true })
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    database.close()
  }
}

function readOne(sql: string, from = file): Record<string, unknown> {
  const [row] = read(sql, from)
  assert.ok(row)
  return row
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}
