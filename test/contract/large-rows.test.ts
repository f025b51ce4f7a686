// Whoever reads a whole store holds a bounded part of it, however large its rows are.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Message } from '../../src/app/model/message.ts'
import { parseDatabaseUrl } from '../../src/app/store/database-url.ts'
import { openStore } from '../../src/app/store/open.ts'
import { scanMessages } from '../../src/app/store/scan.ts'
import { aText, change } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { ENGINES } from '../support/engines.ts'

const MIB = 1024 * 1024
/** Of texts, in bytes. */
const SIZES = [3 * MIB, 3 * MIB, 10, 9 * MIB, 20_000, 3 * MIB]
/** What is held at once, in bytes; one row may be larger. */
const MOST = 8 * MIB

for (const engine of ENGINES)
  describe(`large rows on ${engine.name}`, () => {
    let url = parseDatabaseUrl('sqlite://')

    const directory = mkdtempSync(join(tmpdir(), 'webhook-large-rows-'))

    before(async () => {
      url = parseDatabaseUrl((await engine.newDatabase(directory)).url)
      assert.ok(url)
      const store = await openStore({
        ...{ url, poolSize: 4, onCommitted: () => {} },
        ...{ onIndexError: assert.ifError, onUpkeepError: assert.ifError },
      })
      for (const [i, size] of SIZES.entries()) {
        const letters = 'a'.repeat(size)
        const text = aText({ timestamp: String(1736935200 + i), text: { body: letters } })
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
  })
