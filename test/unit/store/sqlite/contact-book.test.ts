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

/** People in a database in which as many events are of others. */
function openBook(events: number) {
  const database = new DatabaseSync(':memory:')
  migrate(database)
  database.prepare(OTHERS_EVENTS).run(events)
  return new ContactBook(database)
}

test('that a number changed takes the same time however many events are of others', () => {
  let number = 14155550000
  const growth = growthOf(5000, openBook, (book) => {
    const changed = aChangedNumber(String(number), String(++number))
    const [event] = intakeWith(change({ messages: [changed] })).events
    if (event !== undefined) book.contactOf(event)
  })
  assert.ok(growth < 3, `eight times as many events take ${growth.toFixed(1)} times as long`)
})
