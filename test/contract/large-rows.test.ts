// Whoever reads a whole store holds a bounded part of it, however large its rows are.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Message } from '../../src/app/model/message.ts'
import { openCopySource } from '../../src/app/store/copy/ends.ts'
import { parseDatabaseUrl } from '../../src/app/store/database-url.ts'
import { scanMessages } from '../../src/app/store/scan.ts'
import { type Key, type Row, TABLES } from '../../src/app/store/sql/tables.ts'
import { aText, at, change } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { databaseUrl, openEitherStore } from '../support/either-store.ts'
import { ENGINES } from '../support/engines.ts'

const MIB = 1024 * 1024
/** Of texts, in bytes. */
const SIZES = [3 * MIB, 3 * MIB, 10, 9 * MIB, 20_000, 3 * MIB]
/** What is held at once, in bytes; one row may be larger, or be the last that is. */
const MOST = 8 * MIB
const LARGEST = 9 * MIB

for (const engine of ENGINES)
  describe(`large rows on ${engine.name}`, () => {
    let url = parseDatabaseUrl('sqlite://')

    const directory = mkdtempSync(join(tmpdir(), 'webhook-large-rows-'))

    before(async () => {
      url = databaseUrl((await engine.newDatabase(directory)).url)
      const store = await openEitherStore(url)
      for (const [i, size] of SIZES.entries()) {
        const letters = 'a'.repeat(size)
        const text = aText({ ...at(i), text: { body: letters } })
        await store.insert([intakeWith(change({ messages: [text] }))])
        await store.insert([intakeWith(change({ letters }, 'brand_new_field'))])
      }
      await store.close()
    })
    after(() => rmSync(directory, { recursive: true }))

    for (const search of [undefined, 'aa'])
      it(`are exported a few at a time, ${search === undefined ? 'all' : 'as they are found'}`, async () => {
        assert.ok(url)
        const filter = search === undefined ? {} : { search }
        const lengths: number[] = []
        const scan = scanMessages(url, { filter, order: 'asc' })
        for await (const page of scan as AsyncIterable<readonly Message[]>) {
          const held = page.map(({ text }) => text?.length ?? 0)
          assert.ok(page.length <= 1 || held.reduce((a, b) => a + b) <= MOST, String(held))
          lengths.push(...held)
        }
        assert.deepEqual(lengths, SIZES)
      })

    it('are copied a few at a time', async (test) => {
      assert.ok(url)
      const source = await openCopySource(url)
      test.after(() => source.close())
      for (const table of TABLES) {
        let rows: readonly Row[] = []
        let key: Key | null = null
        let count = 0
        do {
          rows = await source.rowsAfter(table, key)
          const held = rows.flat().reduce((sum: number, value) => {
            return sum + (typeof value === 'number' ? 0 : (value?.length ?? 0))
          }, 0)
          assert.ok(held <= MOST + LARGEST + 1000 * rows.length, `${table.name}: ${held}`)
          key = (rows.at(-1)?.[0] ?? null) as Key | null
          count += rows.length
        } while (rows.length > 0)
        assert.equal(count, await source.count(table.name))
      }
    })
  })
