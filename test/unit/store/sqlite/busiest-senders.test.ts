import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BusiestSenders } from '../../../../src/app/store/sqlite/busiest-senders.ts'

describe('the busiest senders', () => {
  it('are those that a sort of all counts begins with, whoever writes how often', () => {
    // Of one with an even number and one with an odd, UTF-16 and UTF-8 say differently which comes first.
    const names = Array.from(
      { length: 20 },
      (_, i) => `${i % 2 === 0 ? '\u{1f600}' : '\uff5e'}${i}`,
    )
    const batch = fc.array(fc.constantFrom(...names), { maxLength: 30 })
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 20 }), (batches) => {
        const database = new DatabaseSync(':memory:')
        database.exec(`
          create table senders (sender text primary key, messages integer not null);
          create table busiest_senders (sender text primary key, messages integer not null)`)
        const busiest = new BusiestSenders(database)
        const count = database.prepare(`
          insert into senders values (?, 1)
          on conflict (sender) do update set messages = messages + 1`)
        for (const senders of batches) {
          for (const sender of senders) count.run(sender)
          busiest.grown(
            [...new Set(senders)].map((sender) => {
              const row = database.prepare('select * from senders where sender = ?')
              return row.get(sender) as { sender: string; messages: number }
            }),
          )
        }
        const first = (table: string) =>
          database.prepare(`select * from ${table} order by messages desc, sender limit 10`).all()
        assert.deepEqual(first('busiest_senders'), first('senders'))
        assert.equal(
          database.prepare('select count(*) as n from busiest_senders').get()?.['n'],
          first('senders').length,
        )
        database.close()
      }),
    )
  })
})
