// The key that a reader tells people apart by: nobody's is an address that is somebody else's by now.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Intake } from '../../src/app/model/event.ts'
import { aChangedNumber } from '../support/cloud-api.ts'
import { saidAt } from '../support/cloud-intake.ts'
import { databaseUrl, openEitherStore } from '../support/either-store.ts'
import { ENGINES } from '../support/engines.ts'
import { findingsIn } from '../support/sound.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const [K, M, N, Q] = ['14155550101', '14155550102', '14155550103', '14155550104'] as const

const said = (second: number, from?: string, id?: string) =>
  saidAt(second, `m${second}`, { from, from_user_id: id })
const moved = (second: number, from: string, to: string) =>
  saidAt(second, `c${second}`, aChangedNumber(from, to))

type Case = { readonly what: string; readonly intakes: readonly Intake[]; readonly keys: string[] }

const CASES: readonly Case[] = [
  {
    what: 'whose number is another’s and who has no id any more',
    intakes: [
      ...[said(1, M, 'US.1'), said(10, N, 'US.1'), said(20, N), said(30, N, 'US.2')],
      ...[moved(15, M, Q), moved(40, K, N)],
    ],
    keys: [`+${N}`, 'US.1'],
  },
  {
    what: 'whose number stands in the place of an id',
    intakes: [said(1, undefined, `+${N}`), said(2, N, 'US.2'), said(4, undefined, `+${N}`)],
    keys: ['US.2'],
  },
  {
    what: 'whose id is a number that is another’s',
    intakes: [said(1, N, 'US.2'), said(2, M, `+${N}`), said(3, undefined, `+${N}`)],
    keys: [`+${M}`, 'US.2'],
  },
]

for (const engine of ENGINES) {
  describe(`the keys of people on ${engine.name}`, () => {
    for (const { what, intakes, keys } of CASES) {
      it(`are their own, also of somebody ${what}`, async (t) => {
        const url = databaseUrl((await engine.newDatabase(temporaryDirectory(t))).url)
        const store = await openEitherStore(url)
        t.after(() => store.close())
        for (const intake of intakes) await store.insert([intake])
        const { conversations } = await store.conversations({ limit: 9 })
        assert.deepEqual(conversations.map(({ contact }) => contact.key).sort(), keys)
        assert.deepEqual(await findingsIn(url), [])
      })
    }
  })
}
