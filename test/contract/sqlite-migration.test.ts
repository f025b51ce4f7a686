// A database that an earlier version left is brought to today's schema, and nothing of it is lost.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqliteStore } from '../../src/app/store/sqlite/sqlite-store.ts'
import { runCommand } from '../support/run-command.ts'
import { flatBody, SECRET, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { writeVersion1 } from '../support/version-1.ts'

const BODIES = [
  flatBody({ message_id: 'one', from: '+19995550100', text: 'Hello World' }),
  flatBody({ message_id: 'two', from: '+19995550101', text: null }),
  flatBody({ message_id: 'three', from: '+19995550100', ts: '2025-02-01T00:00:00.5Z' }),
]

test('every message, its raw body, its sender and every counter come along', async (t) => {
  const cwd = temporaryDirectory(t)
  const file = join(cwd, 'messages.db')
  writeVersion1(file, BODIES)
  const store = await openSqliteStore({ file, onIndexError: assert.ifError })
  const { messages } = await store.page({ filter: {}, order: 'asc', limit: 9, offset: 0 })
  assert.deepEqual(
    messages.map(({ seq, messageId, type, direction, contact, receivedAt }) => ({
      ...{ seq, messageId, type, direction, contact: contact?.phone, receivedAt },
    })),
    [
      ['one', '+19995550100', 1],
      ['two', '+19995550101', 2],
      ['three', '+19995550100', 3],
    ].map(([messageId, contact, seq]) => ({
      ...{ seq, messageId, type: 'text', direction: 'inbound', contact },
      receivedAt: 999 + Number(seq),
    })),
  )
  for (const [i, body] of BODIES.entries()) {
    assert.deepEqual(Buffer.from((await store.rawBody(i + 1)) ?? []), toBytes(body))
  }
  assert.partialDeepStrictEqual(await store.stats(), {
    totalMessages: 3,
    sendersCount: 2,
    topSenders: [
      { from: '+19995550100', count: 2 },
      { from: '+19995550101', count: 1 },
    ],
    messagesByType: { text: 3 },
    messagesByDay: { '2025-01-15': 2, '2025-02-01': 1 },
    eventsByKind: { message: 3 },
  })
  const { conversations } = await store.conversations({ limit: 9 })
  assert.deepEqual(
    conversations.map(({ contact, messages }) => [contact.key, messages]),
    [
      ['+19995550100', 2],
      ['+19995550101', 1],
    ],
  )
  await store.close()
  const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: 'sqlite:///messages.db' }
  const { code, stdout } = await runCommand(['verify'], { cwd, environment })
  assert.equal(code, 0, stdout)
})

test('one without messages is brought along too', async (t) => {
  const file = join(temporaryDirectory(t), 'messages.db')
  writeVersion1(file, [])
  const store = await openSqliteStore({ file, onIndexError: assert.ifError })
  assert.deepEqual((await store.stats()).eventsByKind, {})
  await store.close()
})
