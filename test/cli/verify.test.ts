import assert from 'node:assert/strict'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it, type TestContext } from 'node:test'
import { parseFlatMessage } from '../../src/app/receive/flat.ts'
import { packBatch } from '../../src/app/store/sqlite/batch.ts'
import { createPrivateFile } from '../../src/app/store/sqlite/connection.ts'
import { Indexer } from '../../src/app/store/sqlite/indexer.ts'
import { Writer } from '../../src/app/store/sqlite/writer.ts'
import { type AMessage, intakeOf } from '../support/a-message.ts'
import { change as changeOf } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import {
  assertWronglyEdited,
  EDITED_MESSAGES,
  editOf,
  wronglyEdited,
} from '../support/edited-messages.ts'
import { fillDatabase } from '../support/filled-database.ts'
import { assertFindings, type Finding } from '../support/findings.ts'
import { startOpenService } from '../support/open-service.ts'
import { type CommandResult, runCommand } from '../support/run-command.ts'
import { CANARY, flatBody, SECRET, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const BODIES = Array.from({ length: 40 }, (_, i) =>
  flatBody({
    message_id: `id-${i + 1}`,
    from: `+1999555010${i % 4}`,
    ts: `2025-01-15T10:00:${i + 10}.50Z`,
    text: i % 10 === 9 ? null : `${CANARY.text} É number ${i + 1}`,
  }),
)

type Fault = {
  readonly what: string
  readonly messages?: string
  readonly search?: string
  /** Every line before the closing one, in any order. */
  readonly findings: readonly Finding[]
}

const FAULTS: readonly Fault[] = [
  {
    what: 'a flipped bit in a stored body',
    messages: `update intakes set body =
      unhex(replace(hex(body), hex('"text":"c'), hex('"text":"b'))) where id = 7`,
    findings: [
      'intake 7: the body does not have the SHA-256 stored with it.',
      'row 7 ("id-7"): the column text is not what the body says.',
    ],
  },
  {
    what: 'a body that is no message any more',
    messages: `update intakes set body = x'7b', bytes = 1, sha256 = unhex(
      '021fb596db81e6d02bf3d2586ee3981fe519f275c0ac9ca76bbcf2ebb4097d96') where id = 6`,
    findings: ['intake 6: the body holds no valid message.'],
  },
  {
    what: 'bodies that are missing, though earlier ones are kept',
    messages: 'delete from intakes where id in (7, 9, 40)',
    findings: [7, 9, 40].map((id) => `intake ${id}: the body is missing, and has not expired.`),
  },
  {
    what: 'bodies that came at another time than what was in them',
    messages: 'update intakes set received_at = received_at + 1 where id in (7, 9)',
    findings: [7, 9].map((id) => `intake ${id}: received_at is not that of what was in its body.`),
  },
  {
    what: 'a body that came in another format than what was in it',
    messages: `update messages set provider = 'cloud-api' where seq = 7`,
    findings: ['intake 7: provider is not that of what was in its body.'],
  },
  {
    what: 'a changed text',
    messages: `update messages set text = 'something else' where seq = 8`,
    findings: [
      'row 8 ("id-8"): the column text is not what the body says.',
      'row 8 ("id-8"): has another text in the search index.',
    ],
  },
  {
    what: 'a body and its digest that are of another message',
    messages: `update intakes set (body, sha256, bytes) =
      (select body, sha256, bytes from intakes where id = 1) where id = 5`,
    findings: ['row 5 ("id-5"): the body holds no such message.'],
  },
  {
    what: 'a changed sender',
    messages: `update messages set sender = '+19995550103' where seq = 1`,
    findings: [
      'row 1 ("id-1"): the column sender is not what the body says.',
      'sender "+19995550100": sent 9 of the messages, and the counter says 10.',
      'sender "+19995550103": sent 11 of the messages, and the counter says 10.',
      'busiest senders: the list is not that of the senders with the most messages.',
    ],
  },
  {
    what: 'a wrong total',
    messages: 'update totals set messages = 41, senders = 5',
    findings: [
      'totals: messages is 41, and there are 40.',
      'totals: senders is 5, and there are 4.',
    ],
  },
  {
    what: 'a wrong counter of a sender',
    messages: `update senders set messages = 9 where sender = '+19995550101'`,
    findings: ['sender "+19995550101": sent 10 of the messages, and the counter says 9.'],
  },
  {
    what: 'a sender who is missing among the busiest',
    messages: `delete from busiest_senders where sender = '+19995550101'`,
    findings: ['busiest senders: the list is not that of the senders with the most messages.'],
  },
  {
    what: 'a person whose key is not their own address',
    messages: `update contact_addresses set contact = 1 where contact = 2`,
    findings: ['contact 2: its key is no address of its own.'],
  },
  {
    what: 'a person who is not there, of whom an address is and an event',
    messages: `insert into contact_addresses (address, contact) values ('US.9', 9);
      insert into events select 41, 'unknown', 'x', null, provider, intake, null, null, 9, null,
        ts, instant, null, '{}', received_at from messages where seq = 40;
      delete from intakes where id = 40;
      update totals set last_seq = 41;
      insert into counts values ('kind', 'unknown', 1)`,
    findings: [
      'intake 40: the body is missing, and has not expired.',
      'row 41: its contact is not there.',
      'an address of contact 9: its contact is not there.',
    ],
  },
  {
    what: 'numbers of intakes that would be given again',
    messages: `update totals set last_intake = 39`,
    findings: ['totals: last_intake is 39, and the last one is 40.'],
  },
  {
    what: 'a removed sender',
    messages: `delete from senders where sender = '+19995550102'`,
    findings: ['sender "+19995550102": sent 10 of the messages, and has no counter.'],
  },
  {
    what: 'a sender without messages',
    messages: `insert into senders values ('+19995550109', 3)`,
    findings: ['sender "+19995550109": sent 0 of the messages, and the counter says 3.'],
  },
  {
    what: 'a deleted row',
    messages: 'delete from messages where seq = 10',
    findings: [
      'row 10: is missing.',
      'sender "+19995550101": sent 9 of the messages, and the counter says 10.',
      'busiest senders: the list is not that of the senders with the most messages.',
      'counter type text: is 40, and there are 39.',
      'counter day 2025-01-15: is 40, and there are 39.',
      'counter kind message: is 40, and there are 39.',
      'contact 2: has 9 of the messages, and its row is not right (10).',
      'totals: messages is 40, and there are 39.',
    ],
  },
  {
    what: 'deleted rows at the end',
    messages: `delete from messages where seq >= 39;
      update totals set messages = 38;
      update counts set count = 38;
      update contacts set messages = 9,
        last_instant = (select max(instant) from messages where contact = contacts.id)
        where key in ('+19995550102', '+19995550103');
      update senders set messages = 9 where sender in ('+19995550102', '+19995550103');
      update busiest_senders set messages = 9 where sender in ('+19995550102', '+19995550103')`,
    findings: [
      'rows 39 to 40: are missing.',
      'search index: has an entry 39 that belongs to no message.',
    ],
  },
  {
    what: 'a sequence that ran on',
    messages: 'update totals set last_seq = 39',
    findings: ['totals: last_seq is 39, and the last row is 40.'],
  },
  {
    what: 'an id that is stored twice',
    messages: `drop index messages_by_id;
      create temp table copy as select * from messages where seq = 3;
      update copy set seq = 41;
      insert into messages select * from copy;
      update totals set last_seq = 41, messages = 41;
      update counts set count = 41;
      update contacts set messages = 11 where key = '+19995550102';
      update senders set messages = 11 where sender = '+19995550102';
      update busiest_senders set messages = 11 where sender = '+19995550102'`,
    findings: [
      'schema: the index messages_by_id is missing.',
      'row 3 ("id-3"): the id is stored 2 times.',
    ],
  },
  {
    what: 'a trigger that somebody added',
    messages: 'create trigger t after insert on messages begin delete from senders; end',
    findings: ['schema: the trigger t does not belong there.'],
  },
  {
    what: 'an identity that is lost',
    messages: 'delete from store',
    findings: ['store: there should be one row with an identity.'],
  },
  {
    what: 'an index row with another text',
    search: `update search set folded = 'something else' where rowid = 2`,
    findings: ['row 2 ("id-2"): has another text in the search index.'],
  },
  {
    what: 'an index row that is missing',
    search: 'delete from search where rowid = 40 or rowid = 39',
    findings: ['row 39 ("id-39"): is not in the search index.'],
  },
  {
    what: 'an index row that belongs to no message',
    search: `insert into search (rowid, folded) values (10, 'x'), (1000, 'x')`,
    findings: [
      'row 10 ("id-10"): has another text in the search index.',
      'search index: has an entry 1000 that belongs to no message.',
    ],
  },
  {
    what: 'trigrams that are not those of the texts',
    search: `delete from search_data where id > 10`,
    findings: [/^search index: /],
  },
]

describe('verify', { concurrency: 2 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'webhook-verify-'))
  before(() => fillDatabase(join(directory, 'messages.db'), BODIES))
  after(() => rmSync(directory, { recursive: true }))

  it('finds nothing wrong in a good database, and leaves nothing behind', async (test) => {
    const cwd = copyOf(directory, test)
    for (const options of [[], ['--quick']]) {
      const result = await verify(cwd, options)
      assert.deepEqual(result, {
        code: 0,
        signal: null,
        stdout: '40 messages of 4 senders, search index up to number 40: everything agrees.\n',
        stderr: '',
      })
    }
    for (const name of readdirSync(cwd)) {
      if (name.endsWith('.db')) {
        assert.deepEqual(readFileSync(join(cwd, name)), readFileSync(join(directory, name)))
      }
    }
  })

  it('counts one message of one sender, and one thing, as a person would', async (test) => {
    const cwd = temporaryDirectory(test)
    await fillDatabase(join(cwd, 'messages.db'), BODIES.slice(0, 1))
    const counted = '1 message of 1 sender, search index up to number 1'
    assert.equal((await verify(cwd)).stdout, `${counted}: everything agrees.\n`)
    change(join(cwd, 'messages.db'), "update messages set ts = '2025'")
    assert.ok((await verify(cwd)).stdout.endsWith(`${counted}: 1 thing disagrees.\n`))
  })

  for (const { what, messages, search, findings } of FAULTS) {
    it(`names ${what}`, async (test) => {
      const cwd = copyOf(directory, test)
      if (messages !== undefined) change(join(cwd, 'messages.db'), messages)
      if (search !== undefined) change(join(cwd, 'messages-search.db'), search)
      assertFindings(await verify(cwd), findings)
    })
  }

  it('has nothing against bodies that expired, in whatever order a clock that was wrong let them', async (test) => {
    const cwd = copyOf(directory, test)
    const file = join(cwd, 'messages.db')
    change(file, 'delete from intakes where id <= 20')
    assert.equal((await verify(cwd)).code, 0)
    const move = (numbers: string, receivedAt: string) => {
      change(file, `update messages set received_at = ${receivedAt} where seq ${numbers}`)
      change(file, `update intakes set received_at = ${receivedAt} where id ${numbers}`)
    }
    // The clock began at its beginning twice: a pass found what came the second time first.
    move('between 36 and 37', '20000')
    move('between 38 and 39', '25000')
    change(file, 'delete from intakes where id between 38 and 39')
    assert.equal((await verify(cwd)).code, 0)
    // And it was a day ahead.
    move('between 21 and 30', 'received_at + 86400000')
    change(file, 'delete from intakes where id between 31 and 35')
    assert.equal((await verify(cwd)).code, 0)
  })

  it('names messages that are not what their edits and revocations made of them', async (test) => {
    const cwd = temporaryDirectory(test)
    const file = join(cwd, 'messages.db')
    createPrivateFile(file)
    const writer = new Writer(file)
    for (const intake of EDITED_MESSAGES) writer.insert(packBatch([intake]))
    writer.close()
    assert.match((await verify(cwd)).stdout, /^5 messages of 1 sender, .*: everything agrees\.\n$/)
    change(file, wronglyEdited())
    assertWronglyEdited((await verify(cwd)).stdout)
  })

  it('names a damaged page, and goes on with what can be read', async (test) => {
    const cwd = copyOf(directory, test)
    const file = join(cwd, 'messages.db')
    const bytes = readFileSync(file)
    const at = bytes.indexOf('"message_id":"id-20"')
    bytes.fill(0xff, at - (at % 4096), at - (at % 4096) + 4096)
    writeFileSync(file, bytes)
    const { code, stdout } = await verify(cwd)
    assert.equal(code, 1)
    assert.match(stdout, /^integrity: /m)
    assert.match(stdout, /^messages: the file can't be read any further/m)
    assert.match(stdout, /: \d+ things disagree\.\n$/)
  })

  it('has nothing against an index that is missing, behind, or of another database', async (test) => {
    const cwd = copyOf(directory, test)
    const index = join(cwd, 'messages-search.db')
    change(index, 'delete from search where rowid > 30; update search_state set watermark = 30')
    assert.match((await verify(cwd)).stdout, /search index up to number 30: everything agrees/)
    change(index, `update search_state set identity = 'another'`)
    assert.match((await verify(cwd)).stdout, /the next start builds anew: everything agrees/)
    const elsewhere = temporaryDirectory(test)
    copyFileSync(join(cwd, 'messages.db'), join(elsewhere, 'messages.db'))
    assert.match((await verify(elsewhere)).stdout, /no search index yet: everything agrees/)
  })

  it('has nothing against an index that is catching up, and names an entry there that is a stray', async (test) => {
    const cwd = temporaryDirectory(test)
    const files = { messages: join(cwd, 'messages.db'), search: join(cwd, 'messages-search.db') }
    const many = Array.from({ length: 1200 }, (_, i) => intakeOf(aFlatMessage(`id-${i}`)))
    createPrivateFile(files.messages)
    const writer = new Writer(files.messages)
    const edit = changeOf({ messages: [editOf('id-1199', 'Edited')] })
    writer.insert(packBatch([intakeWith(edit), ...many]))
    writer.close()
    for (let left = 1; left > 0; ) {
      const indexer = new Indexer(files)
      left = indexer.indexChunk()
      indexer.close()
      const { stdout } = await verify(cwd, ['--quick'])
      assert.match(stdout, /, search index up to number [\d,]+: everything agrees\.\n$/)
    }
    change(
      files.search,
      `update search_state set watermark = 1000;
      insert into search (rowid, folded) values (1300, 'x')`,
    )
    assert.match(
      (await verify(cwd)).stdout,
      /^search index: has an entry 1300 that belongs to no message\.$/m,
    )
  })

  it('ends with 1 for a damaged index, and for files that are no database', async (test) => {
    const cwd = copyOf(directory, test)
    writeFileSync(join(cwd, 'messages-search.db'), 'this is no database, and has no header of one')
    assert.match((await verify(cwd)).stdout, /^search index: .*can't be read/)
    for (const content of ['', 'this is no database, and it is not meant to be one']) {
      const other = temporaryDirectory(test)
      writeFileSync(join(other, 'messages.db'), content)
      const { code, stderr } = await verify(other)
      assert.equal(code, 1)
      assert.match(stderr, /no database|not a database/)
    }
    truncateSync(join(cwd, 'messages.db'), 4096)
    assert.equal((await verify(cwd)).code, 1)
  })

  it('refuses what is no regular file, by its name', async (test) => {
    const cwd = temporaryDirectory(test)
    mkdirSync(join(cwd, 'messages.db'))
    const { code, stderr } = await verify(cwd)
    assert.deepEqual([code, stderr], [2, 'messages.db is no regular file.\n'])
  })

  it('works beside the running service, and after a kill on what its log holds', async (test) => {
    const cwd = temporaryDirectory(test)
    const environment = { DATABASE_URL: 'sqlite:///messages.db' }
    const service = await startOpenService(test, { cwd, environment })
    const send = ['send', '--url', service.url, '--count', '200']
    assert.equal((await runCommand(send, { cwd })).code, 0)
    const beside = await verify(cwd)
    assert.equal(beside.code, 0, beside.stdout)
    await service.stop('SIGKILL')
    const after = await verify(cwd)
    assert.equal(after.code, 0, after.stdout)
    assert.match(after.stdout, /^200 messages of \d+ senders, .*: everything agrees/)
  })
})

/** A message whose body says what it says. */
function aFlatMessage(id: string): AMessage {
  const body = toBytes(flatBody({ message_id: id }))
  return { ...parseFlatMessage(body), body }
}

async function verify(cwd: string, options: readonly string[] = []): Promise<CommandResult> {
  const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite:///messages.db' }
  const result = await runCommand(['verify', ...options], { cwd, environment })
  assert.ok(!`${result.stdout}${result.stderr}`.includes(CANARY.text), 'it shows a text')
  return result
}

function copyOf(directory: string, test: TestContext): string {
  const copy = temporaryDirectory(test)
  for (const name of readdirSync(directory)) copyFileSync(join(directory, name), join(copy, name))
  return copy
}

/** As somebody with a tool of their own, who knows nothing of the service. */
function change(file: string, sql: string): void {
  const database = new DatabaseSync(file, { defensive: false })
  database.exec(sql)
  database.close()
}
