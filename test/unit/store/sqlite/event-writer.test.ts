import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { ContactBook } from '../../../../src/app/store/sqlite/contact-book.ts'
import { Counters } from '../../../../src/app/store/sqlite/counters.ts'
import { EventWriter } from '../../../../src/app/store/sqlite/event-writer.ts'
import { aStatus, change } from '../../../support/cloud-api.ts'
import { ARRIVAL, intakeWith } from '../../../support/cloud-intake.ts'
import { countedDatabase } from '../../../support/counted-statements.ts'

type Fields = Readonly<Record<string, unknown>>

const ARRIVED = { intake: 1, provider: 'cloud-api', receivedAt: ARRIVAL }

function openWriter(test: TestContext) {
  const { database, countOf } = countedDatabase(test)
  const counters = new Counters(database)
  const events = new EventWriter(database, new ContactBook(database), counters)
  let seq = 0
  return {
    database,
    /** How often the statuses of some message were read. */
    historiesRead: countOf('select type as status', 'all'),
    insert(...items: readonly Fields[]) {
      for (const event of intakeWith(change({ statuses: items })).events) {
        if (event.kind !== 'message') events.insert(++seq, event, ARRIVED)
      }
    },
    flush() {
      events.flush()
      counters.flush()
    },
    rollBack() {
      database.exec('rollback')
      events.reset()
      counters.reset()
    },
    statuses: () =>
      database.prepare("select key, count from counts where counter = 'status' order by key").all(),
  }
}

describe('the statuses of one batch', () => {
  it('are read once for each message, however many of them are of it', (test) => {
    const { historiesRead, insert, flush } = openWriter(test)
    const times = Array.from({ length: 50 }, (_, i) => ({ timestamp: String(1736935300 - i) }))
    insert(
      ...times.map((time, i) => aStatus('a', `word${i}`, time)),
      ...times.map((time) => aStatus('b', 'read', time)),
    )
    flush()
    assert.equal(historiesRead(), 2)
    flush()
    assert.equal(historiesRead(), 2, 'the next batch has none of them')
  })

  it('move the counters from the status before the batch to the one behind it', (test) => {
    const { insert, flush, statuses } = openWriter(test)
    insert(aStatus('a', 'sent'), aStatus('b', 'sent'), aStatus('b', 'delivered'))
    flush()
    insert(aStatus('a', 'delivered'), aStatus('a', 'read'), aStatus('b', 'sent'))
    flush()
    assert.deepEqual(
      statuses().map(({ key, count }) => [key, count]),
      [
        ['delivered', 1],
        ['read', 1],
      ],
    )
  })

  it('are weighed anew where one of them turns out to have been earlier', (test) => {
    const { insert, flush, statuses } = openWriter(test)
    const at = (second: number) => ({ timestamp: String(1736935200 + second) })
    insert(aStatus('a', 'failed', at(5)), aStatus('a', 'delivered', at(7)))
    flush()
    assert.deepEqual(
      statuses().map(({ key }) => key),
      ['delivered'],
    )
    insert(aStatus('a', 'delivered', at(3)))
    flush()
    assert.deepEqual(
      statuses().map(({ key }) => key),
      ['failed'],
    )
  })

  it('are forgotten with the transaction that stored them', (test) => {
    const { database, historiesRead, insert, flush, rollBack, statuses } = openWriter(test)
    database.exec('begin')
    insert(aStatus('a', 'sent'))
    rollBack()
    flush()
    assert.equal(historiesRead(), 0)
    assert.deepEqual(statuses(), [])
  })
})
