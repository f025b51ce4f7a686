import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { ContactBook } from '../../../../src/app/store/sqlite/contact-book.ts'
import { migrate } from '../../../../src/app/store/sqlite/schema.ts'
import { aChangedNumber, change } from '../../../support/cloud-api.ts'
import { intakeWith } from '../../../support/cloud-intake.ts'
import { growthOf } from '../../../support/growth.ts'

const OTHERS_EVENTS = `
  with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?)
  insert into events (seq, kind, type, provider, intake, contact, ts, instant, data, received_at)
  select n, 'status', 'read', 'cloud-api', 1, 1000000 + n, '', '', '{}', 0 from numbers`

/** As many messages of the person that was stored first. */
const MESSAGES = `
  with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?)
  insert into messages (seq, message_id, namespace, provider, intake, type, direction, sender,
    recipient, contact, ts, instant, edited, received_at)
  select n, n, '', 'cloud-api', 1, 'text', 'inbound', '', '', 1, '', '', 0, 0 from numbers`

function openBook(sql: string, rows: number) {
  const database = new DatabaseSync(':memory:')
  migrate(database)
  database.prepare(sql).run(rows)
  return new ContactBook(database)
}

let number = 14155550000

/** Whoever has the last number that was given gets another one. */
function changeNumber(book: ContactBook): void {
  const changed = aChangedNumber(String(number), String(++number))
  const [event] = intakeWith(change({ messages: [changed] })).events
  if (event !== undefined) book.contactOf(event)
}

test('that a number changed takes the same time however many events are of others', () => {
  const growth = growthOf(5000, (events) => openBook(OTHERS_EVENTS, events), changeNumber)
  assert.ok(growth < 3, `eight times as many events take ${growth.toFixed(1)} times as long`)
})

test('that a number changed takes the same time however many messages that person has', () => {
  const growth = growthOf(5000, (messages) => openBook(MESSAGES, messages), changeNumber)
  assert.ok(growth < 3, `eight times as many messages take ${growth.toFixed(1)} times as long`)
})
