import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { Client } from 'pg'
import type { Intake } from '../../src/app/model/event.ts'
import { parseFlatMessage } from '../../src/app/receive/flat.ts'
import { openPostgresStore } from '../../src/app/store/postgres/postgres-store.ts'
import { migrate, readMigrations } from '../../src/app/store/postgres/schema.ts'
import { UNFINISHED } from '../../src/app/store/sql/tables.ts'
import { aStatus, aText, change } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { assertWronglyEdited, EDITED_MESSAGES, wronglyEdited } from '../support/edited-messages.ts'
import { assertFindings, type Finding } from '../support/findings.ts'
import { freePort } from '../support/free-port.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'
import { type CommandResult, runCommand } from '../support/run-command.ts'
import { CANARY, flatBody, SECRET, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

const MIGRATIONS = readMigrations(
  new URL('../../src/app/store/postgres/migrations/', import.meta.url),
)
const LAST = MIGRATIONS.at(-1)?.version ?? 0
const FLAT_ARRIVAL = Date.parse('2025-01-14T12:00:00Z')
const UNCOMPARED = 'indexes not compared (the extension amcheck is not installed)'
const AGREES = `43 messages of 5 senders, ${UNCOMPARED}: everything agrees.\n`

function aFlatIntake(n: number): Intake {
  const body = toBytes(
    flatBody({
      message_id: `id-${n}`,
      from: `+1999555010${n % 4}`,
      ts: `2025-01-15T10:00:${(n % 50) + 10}.50Z`,
      text: n % 10 === 0 ? null : `${CANARY.text} É number ${n}`,
    }),
  )
  const events = [parseFlatMessage(body)]
  return { provider: 'flat', body, headers: {}, receivedAt: FLAT_ARRIVAL, events }
}

/** Rows 1 to 40 from intakes of the same numbers. */
const FLAT = Array.from({ length: 40 }, (_, i) => aFlatIntake(i + 1))
const EDIT = {
  ...{ id: 'e', type: 'edit', text: undefined, timestamp: '1736935300' },
  edit: { original_message_id: 'a', message: { type: 'text', text: { body: 'Edited words' } } },
}
const REACTION = {
  ...{ id: 'r', type: 'reaction', text: undefined },
  reaction: { message_id: 'a', emoji: '👍' },
}
/** Rows 41 to 48 from intakes 41 and 42: messages a, b and r, an edit, three statuses, an error. */
const CLOUD = [
  intakeWith(
    change({ messages: [aText({ id: 'a' }), aText(EDIT), aText(REACTION)] }),
    change({ statuses: [aStatus('a', 'sent'), aStatus('a', 'read'), aStatus('z', 'failed')] }),
    change({ errors: [{ code: 1 }] }),
  ),
  intakeWith(change({ messages: [aText({ id: 'b', text: { body: 'ä'.repeat(4000) } })] })),
]

type Fault = {
  readonly what: string
  readonly sql: string
  /** Every line before the closing one, in any order. */
  readonly findings: readonly Finding[]
}

const FAULTS: readonly Fault[] = [
  {
    what: 'a flipped bit in a stored body, once for all that was in it',
    sql: `update intakes set body = set_byte(body, position('"text":"c'::bytea in body) + 7, 98)
      where id = 7`,
    findings: [
      'intake 7: the body does not have the SHA-256 stored with it.',
      'row 7 ("id-7"): the column text is not what the body says.',
    ],
  },
  {
    what: 'a body that is no message any more',
    sql: `update intakes set body = '{', bytes = 1, sha256 = sha256('{') where id = 6`,
    findings: ['intake 6: the body holds no valid message.'],
  },
  {
    what: 'a digest of another body, with messages and events in it',
    sql: 'update intakes set sha256 = sha256(sha256) where id = 41',
    findings: ['intake 41: the body does not have the SHA-256 stored with it.'],
  },
  {
    what: 'a body that is of another message',
    sql: `update intakes set (body, sha256, bytes) =
      (select body, sha256, bytes from intakes where id = 1) where id = 5`,
    findings: ['row 5 ("id-5"): the body holds no such message.'],
  },
  {
    what: 'a body that is missing',
    sql: 'delete from intakes where id = 42',
    findings: ['intake 42: the body is missing, and has not expired.'],
  },
  {
    what: 'a body that came at another time than what was in it, and one in another format',
    sql: `update intakes set received_at = received_at + 1 where id in (7, 42);
      update messages set provider = 'cloud-api' where seq = 9`,
    findings: [
      'intake 7: received_at is not that of what was in its body.',
      'intake 9: provider is not that of what was in its body.',
      'intake 42: received_at is not that of what was in its body.',
    ],
  },
  {
    what: 'a changed text',
    sql: `update messages set text = 'something else' where seq = 8`,
    findings: [
      'row 8 ("id-8"): the column text is not what the body says.',
      'row 8 ("id-8"): the folded text is not that of the text.',
    ],
  },
  {
    what: 'a changed folded text, of a message and of an edit',
    sql: `update messages set folded = 'something else' where seq = 9;
      update messages set folded = 'something' where seq = 10;
      update events set folded = null where kind = 'edit'`,
    findings: [
      'row 9 ("id-9"): the folded text is not that of the text.',
      'row 10 ("id-10"): the folded text is not that of the text.',
      /^row \d+ \(edit\): the folded text is not that of the text\.$/,
    ],
  },
  {
    what: 'a changed sender, by rows and not by numbers',
    sql: `update messages set sender = '+19995550103' where seq = 1`,
    findings: [
      'row 1 ("id-1"): the column sender is not what the body says.',
      'the sender of row 5: sent 9 of the messages, and the counter says 10.',
      'the sender of row 1: sent 11 of the messages, and the counter says 10.',
    ],
  },
  {
    what: 'changed contents, reactions and events',
    sql: `update messages set content = '{}' where message_id = 'r';
      update events set data = '{}' where kind = 'edit';
      update events set participant = 'x' where type = 'read'`,
    findings: [
      /^row \d+ \("r"\): the column content is not what the body says\.$/,
      /^row \d+ \("r"\): the column reaction_to is not what the content says\.$/,
      /^row \d+ \(edit\): the column data is not what the body says\.$/,
      /^row \d+ \(status\): the column participant is not what the body says\.$/,
    ],
  },
  {
    what: 'wrong counters, folded or not',
    sql: `update counts set count = 41 where counter = 'type' and key = 'text';
      insert into count_changes values ('day', '2025-01-15', 2), ('kind', 'x', 1);
      update counts set count = 9 where counter = 'sender' and key = '+19995550101';
      update counts set count = 7 where counter = 'senders'`,
    findings: [
      'counter type text: is 41, and there are 42.',
      'counter day 2025-01-15: is 45, and there are 43.',
      'counter kind x: is 1, and there are 0.',
      'the sender of row 1: sent 10 of the messages, and the counter says 9.',
      'counter senders: is 7, and there are 5.',
    ],
  },
  {
    what: 'a removed sender, and one without messages',
    sql: `delete from counts where key = '+19995550102';
      insert into counts values ('sender', '+19995550109', 3)`,
    findings: [
      'the sender of row 2: sent 10 of the messages, and has no counter.',
      'a sender of no message: the counter says 3.',
    ],
  },
  {
    what: 'wrong activity, and people who are not there',
    sql: `update activity set messages = 11 where contact = 1;
      update activity set last_instant = '2024' where contact = 2;
      delete from contacts where id = 3`,
    findings: [
      'contact 1: has 10 of the messages, and its activity is not right (11).',
      'contact 2: has 10 of the messages, and its activity is not right (10).',
      ...Array.from({ length: 10 }, () => /^row \d+: its contact is not there\.$/),
      'an address of contact 3: its contact is not there.',
    ],
  },
  {
    what: 'a person whose key is not their own address',
    sql: 'delete from contact_addresses where contact = 2',
    findings: ['contact 2: its key is no address of its own.'],
  },
  {
    what: 'a current status that is not that of the history, and one without any',
    sql: `update message_states set status = 'sent' where message_id = 'a';
      insert into message_states values ('b', 'sent');
      insert into count_changes values ('status', 'sent', 2), ('status', 'read', -1)`,
    findings: [
      'message "a": its current status is not right.',
      'message "b": its current status is not right.',
    ],
  },
  {
    what: 'a deleted row',
    sql: 'delete from messages where seq = 10',
    findings: [
      'intake 10: nothing of what came in its body is stored.',
      'the sender of row 2: sent 9 of the messages, and the counter says 10.',
      'counter type text: is 42, and there are 41.',
      'counter day 2025-01-15: is 43, and there are 42.',
      'counter kind message: is 43, and there are 42.',
      /^contact \d: has 9 of the messages, and its activity is not right \(10\)\.$/,
    ],
  },
  {
    what: 'sequences that would give numbers again',
    sql: `select setval('event_seq', 3), setval('intake_ids', 40), setval('contact_ids', 1)`,
    findings: [
      'sequence event_seq: is at 3, and the last number is 48.',
      'sequence intake_ids: is at 40, and the last number is 42.',
      'sequence contact_ids: is at 1, and the last number is 5.',
    ],
  },
  {
    what: 'an id that is stored twice',
    sql: `alter table messages drop constraint messages_pkey;
      create temp table copy as select * from messages where seq = 3;
      update copy set seq = 2;
      insert into messages select * from copy;
      insert into count_changes values ('type', 'text', 1), ('day', '2025-01-15', 1),
        ('kind', 'message', 1), ('sender', '+19995550103', 1);
      insert into activity_changes select contact, 1, instant from copy`,
    findings: [
      'schema: the index messages_pkey is missing.',
      'schema: the constraint messages.messages_pkey is missing.',
      'row 2 ("id-3"): the id is stored 2 times.',
      'row 2: is there 2 times.',
    ],
  },
  {
    what: 'identities, people, counters and bodies that are stored twice',
    sql: `drop index events_by_key;
      alter table contact_addresses drop constraint contact_addresses_pkey;
      insert into events (seq, kind, type, key, provider, intake, message_id, participant, contact,
        phone_number_id, ts, instant, text, folded, data, received_at)
      select nextval('event_seq'), kind, type, key, provider, intake, message_id, participant,
        contact, phone_number_id, ts, instant, text, folded, data, received_at
      from events where type = 'read';
      insert into count_changes values ('kind', 'status', 1);
      insert into contacts select 99, key, phone, user_id, parent_user_id, username, name,
        address_instant, profile_instant from contacts where id = 1;
      select setval('contact_ids', 99);
      insert into contact_addresses select * from contact_addresses where contact = 2;
      insert into intakes select * from intakes where id = 4`,
    findings: [
      'schema: the index events_by_key is missing.',
      'schema: the index contact_addresses_pkey is missing.',
      'schema: the constraint contact_addresses.contact_addresses_pkey is missing.',
      /^row \d+ \(status\): the identity is stored 2 times\.$/,
      'contact 99: its key is no address of its own.',
      'an address of contact 2: is there 2 times.',
      'intake 4: is there 2 times.',
    ],
  },
  {
    what: 'an index that is another one, and one that is not valid',
    sql: `drop index messages_by_seq; create index messages_by_seq on messages (seq, type);
      update pg_index set indisvalid = false where indexrelid = 'messages_by_sender'::regclass`,
    findings: [
      'schema: the index messages_by_seq is not as it was created.',
      'schema: the index messages_by_sender is not as it was created.',
    ],
  },
  {
    what: 'an index that lost a row',
    sql: `create extension amcheck;
      update pg_index set indisready = false where indexrelid = 'events_by_seq'::regclass;
      insert into events (seq, kind, type, provider, intake, ts, instant, data, received_at)
        select nextval('event_seq'), 'unknown', 'history:content', provider, intake, ts, instant,
          data, received_at from events where kind = 'edit';
      insert into count_changes values ('kind', 'unknown', 1);
      update pg_index set indisready = true where indexrelid = 'events_by_seq'::regclass`,
    findings: [
      /^index events_by_seq: amcheck does not pass it\. PostgreSQL answered XX00[12]\.$/,
      'index events_by_seq: leads to 5 rows, and there are 6.',
    ],
  },
  {
    what: 'changed functions, columns, constraints and triggers',
    sql: `create or replace function storing_lock_1() returns bigint immutable parallel safe
        language sql return 1;
      drop function forget_batches_1();
      alter table events alter column data drop not null;
      alter table messages drop constraint messages_direction_check;
      alter table messages add constraint short check (length(text) < 10) not valid;
      create trigger t before update on messages for each row
        execute function suppress_redundant_updates_trigger()`,
    findings: [
      'schema: the function storing_lock_1 is not as it was created.',
      'schema: the function forget_batches_1 is missing.',
      'schema: the column events.data is not as it was created.',
      'schema: the constraint messages.messages_direction_check is missing.',
      'schema: the constraint messages.short does not belong there.',
      'schema: the trigger messages.t does not belong there.',
    ],
  },
  {
    what: 'days that are not what they are called, and tables that a crash would empty',
    sql: `alter table intakes_20250116 rename to intakes_20250118;
      alter table intakes_default set unlogged; alter table message_states set unlogged`,
    findings: [
      'schema: the table intakes_20250118 does not hold the day it is named after.',
      'schema: the table intakes_default would not survive a crash.',
      'schema: the table message_states is not as it was created.',
    ],
  },
  {
    what: 'a table that is missing, and goes on with the others',
    sql: 'drop table activity',
    findings: [
      /^schema: the table activity is missing\.$/,
      ...Array.from({ length: 6 }, () => /^schema: the \w+ activity[.\w]* is missing\.$/),
      "ids: can't be checked any further. PostgreSQL answered 42P01.",
      "contacts: can't be checked any further. PostgreSQL answered 42P01.",
    ],
  },
  {
    what: 'an identity that is lost',
    sql: `update store set identity = 'x'`,
    findings: ['store: there should be one row with an identity.'],
  },
  {
    what: 'a migration that was not applied',
    sql: 'delete from schema_migrations where version = 2',
    findings: ['schema: the migration 2 was not applied.'],
  },
]

describe('verify, of PostgreSQL', { concurrency: 2 }, () => {
  let server: PostgresServer
  let filled: string
  let copies = 0
  before(async () => {
    server = await PostgresServer.start()
    filled = await server.newDatabase()
    await fill(filled)
  })
  after(() => server.remove())

  const copy = async (): Promise<string> => {
    const name = `copy_${++copies}`
    await server.query(`create database ${name} template ${new URL(filled).pathname.slice(1)}`)
    return server.url(name)
  }

  it('finds nothing wrong in a good database', async (test) => {
    const url = await copy()
    assert.deepEqual(await verify(test, url), { code: 0, signal: null, stdout: AGREES, stderr: '' })
    const quick = await verify(test, url, ['--quick'])
    assert.match(quick.stdout, /indexes not compared \(--quick\): everything agrees/)
    const given = await runCommand(['verify', '--database', url], { cwd: temporaryDirectory(test) })
    assert.equal(given.stdout, AGREES)
  })

  for (const { what, sql, findings } of FAULTS) {
    it(`names ${what}`, async (test) => {
      const url = await copy()
      await (await connectFor(test, url)).query(sql)
      assertFindings(await verify(test, url), findings)
    })
  }

  it('has nothing against bodies that have expired, changes that wait, gaps and edits', async (test) => {
    const url = await copy()
    const client = await connectFor(test, url)
    await client.query('select expire_intakes_1($1)', [Date.parse('2025-01-15T00:00:00Z')])
    await client.query(`begin; select nextval('event_seq'), nextval('intake_ids'); rollback`)
    const late = [
      intakeWith(change({ messages: [aText({ id: 'c' })], statuses: [aStatus('a', 'failed')] })),
      intakeWith(change({ statuses: [aStatus('a', 'sent', { timestamp: '1736935100' })] })),
      intakeWith(change({ messages: [aText({ ...EDIT, id: 'e2', timestamp: '1736935400' })] })),
    ]
    for (const intake of late) await ingest(client, [intake])
    const { rows } = await client.query('select count(*) > 0 as waiting from count_changes')
    assert.equal(rows[0]?.waiting, true)
    const { stdout } = await verify(test, url)
    assert.equal(stdout, AGREES.replace('43', '44'))
  })

  it('has nothing against a copy of a store that kept a body of a clock that was wrong', async (test) => {
    const url = await copy()
    await (await connectFor(test, url)).query(`
      delete from intakes where id < 20;
      update intakes set received_at = 1000 where id = 42;
      update messages set received_at = 1000 where intake = 42`)
    assert.equal((await verify(test, url)).stdout, AGREES)
  })

  it('names messages that are not what their edits and revocations made of them', async (test) => {
    const url = await server.newDatabase()
    const store = await openStoreFor(test, url)
    for (const intake of EDITED_MESSAGES) await store.insert([intake])
    await store.close()
    assert.match((await verify(test, url)).stdout, /^5 messages of 1 sender, .*: everything agrees/)
    const client = await connectFor(test, url)
    await client.query(wronglyEdited((text) => `, folded = '${text}'`))
    assertWronglyEdited((await verify(test, url)).stdout)
  })

  it('sees one state beside a replica that stores, folds and expires', async (test) => {
    const url = await copy()
    const store = await openStoreFor(test, url)
    let stored = 0
    let writing = true
    const writer = (async () => {
      while (writing) {
        await store.insert([
          aFlatIntake(++stored + 100),
          intakeWith(change({ messages: [aText()] })),
        ])
        if (stored % 10 === 0) await store.expireIntakes(FLAT_ARRIVAL - 1000 + stored)
      }
    })()
    for (let run = 0; run < 3; run++) {
      const { code, stdout } = await verify(test, url)
      assert.equal(code, 0, stdout)
    }
    writing = false
    await writer
    assert.ok(stored > 20)
  })

  it('changes nothing, and needs no right to', async (test) => {
    const url = await copy()
    const client = await connectFor(test, url)
    await client.query(`drop role if exists reading; create role reading login;
      grant usage on schema public to reading; grant select on all tables in schema public to reading;
      grant select on all sequences in schema public to reading`)
    const { stdout } = await verify(test, url.replace('postgres:', 'reading:'))
    assert.equal(stdout, AGREES)
  })

  it('compares indexes with their tables where amcheck is there', async (test) => {
    const url = await copy()
    const client = await connectFor(test, url)
    await client.query('create extension amcheck')
    const { stdout, code } = await verify(test, url)
    assert.equal(code, 0, stdout)
    assert.match(stdout, /^43 messages of 5 senders, \d\d indexes compared: everything agrees\.$/m)
  })

  it('notes a newer schema that works with this version, and takes it for no fault', async (test) => {
    const url = await copy()
    const client = await connectFor(test, url)
    const sql = `alter table messages add column language text;
      alter table contacts add constraint short check (length(name) < 9999);
      create function ingest_2() returns void language sql as 'select'`
    await migrate(client, [{ version: LAST + 1, oldestReplica: 1, sql }])
    const { stdout } = await verify(test, url)
    const note = `schema ${LAST + 1}, newer than this version, `
    assert.equal(stdout, AGREES.replace(UNCOMPARED, `${note}${UNCOMPARED}`))
    await migrate(client, [{ version: LAST + 2, oldestReplica: LAST + 2, sql: '' }])
    const { code, stderr } = await verify(test, url)
    assert.equal(code, 1)
    assert.match(stderr, /start a newer version of the service\.\n$/)
  })

  it('says what is wrong with a database that it can not verify', async (test) => {
    const refused = async (url: string, reason: RegExp) => {
      const { code, stdout, stderr } = await verify(test, url)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, /^The PostgreSQL database can't be verified: .*[.?]\n$/)
      assert.match(stderr, reason)
    }
    const url = await server.newDatabase()
    await refused(url, /no schema yet: start the service/)
    const client = await connectFor(test, url)
    await migrate(client, MIGRATIONS.slice(0, 1))
    await refused(url, /version 1 and not \d+: start a service of this version/)
    await migrate(client)
    await client.query('update store set identity = identity || $1', [UNFINISHED])
    await refused(url, /not complete: run migrate-store again/)
    await refused(url.replace(/\w+$/, 'nowhere'), /no database "nowhere"/)
    await refused(url.replace(/:\d+\//, `:${await freePort()}/`), /refuses connections/)
    const misused = await verify(test, url, ['--database', 'postgresql'])
    assert.equal(misused.code, 2)
  })
})

async function fill(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await migrate(client)
  await client.query(`select make_days_1('2025-01-14', 3)`)
  const store = await openPostgresStore({
    url,
    poolSize: 4,
    onCommitted: () => {},
    onUpkeepError: assert.ifError,
  })
  await store.insert(FLAT)
  for (const intake of CLOUD) await store.insert([intake])
  await until('every change is folded', async () => {
    const { rows } = await client.query(
      'select (select count(*) from count_changes) + (select count(*) from activity_changes) as n',
    )
    return Number(rows[0]?.n) === 0
  })
  await store.close()
  await client.end()
}

async function verify(
  test: TestContext,
  url: string,
  options: readonly string[] = [],
): Promise<CommandResult> {
  const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: url }
  const cwd = temporaryDirectory(test)
  const result = await runCommand(['verify', ...options], { cwd, environment })
  const output = `${result.stdout}${result.stderr}`
  const secrets = [CANARY.text, '1999555', '14155550', 'Edited', new URL(url).password]
  for (const secret of secrets) assert.ok(!output.includes(secret), `it shows ${secret}`)
  return result
}
