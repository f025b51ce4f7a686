// The raw bodies that events came in, until they expire.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MessageStore } from '../../src/app/store/store.ts'
import { aMessage, insertAll, intakeOf } from '../support/a-message.ts'
import { aText } from '../support/cloud-api.ts'
import { messages } from '../support/cloud-changes.ts'
import { ARRIVAL, intakeWith } from '../support/cloud-intake.ts'
import { type NewPlace, usePlace } from './store-place.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** The requests that the entries of the sequence came in, in its order. */
async function intakesOf(store: MessageStore): Promise<number[]> {
  const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 1000 })
  const all = entries.map((entry) => (entry.kind === 'message' ? entry.intake : entry.event.intake))
  return [...new Set(all)]
}

/** As retention does it: as long as there may be more. */
async function expireAll(store: MessageStore, before: number): Promise<void> {
  while ((await store.expireIntakes(before)) === 'more');
}

/** What is kept of a request beside its events. */
export function rawBodyContract(newPlace: NewPlace): void {
  describe('keeps events', () => {
    it('and gives a body back byte for byte, small or large, until it expires', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const small = intakeWith(messages(aText()))
      const large = intakeWith(messages(aText({ text: { body: 'ä'.repeat(4000) } })))
      await store.insert([small, small, large])
      const ids = await intakesOf(store)
      assert.equal(ids.length, 2, 'a repeated request is not kept')
      for (const [id, { body }] of [
        [ids[0] ?? 0, small],
        [ids[1] ?? 0, large],
      ] as const) {
        assert.deepEqual(Buffer.from((await store.rawBody(id)) ?? []), Buffer.from(body))
        const facts = await store.intake(id)
        assert.deepEqual([facts?.bytes, facts?.receivedAt], [body.byteLength, ARRIVAL])
      }
      await expireAll(store, ARRIVAL)
      assert.ok(await store.intake(ids[0] ?? 0))
      await expireAll(store, ARRIVAL + 1)
      assert.equal(await store.rawBody(ids[0] ?? 0), null)
      assert.equal(await store.intake(ids[0] ?? 0), null)
      assert.equal((await store.stats()).totalMessages, 2)
      await insertAll(store, [aMessage({ messageId: 'later' })])
      const later = (await intakesOf(store)).at(-1) ?? 0
      assert.ok(later > Math.max(...ids), 'numbers are not given again')
      assert.ok(await store.intake(later))
    })

    it('and lets those expire that are due, also behind many of a time when the clock was ahead', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const arrivals = [ARRIVAL + 400 * DAY_MS, ARRIVAL - DAY_MS, ARRIVAL + DAY_MS]
      for (const receivedAt of arrivals) {
        const intakes = Array.from({ length: 600 }, () => intakeOf(aMessage()))
        await store.insert(intakes.map((intake) => ({ ...intake, receivedAt })))
      }
      await expireAll(store, ARRIVAL)
      const kept: unknown[] = []
      for (let id = 1; id <= 1800; id += 18) kept.push((await store.intake(id))?.receivedAt)
      const [ahead, due, recent] = arrivals.map((at) => kept.filter((kept) => kept === at).length)
      assert.deepEqual([ahead, due, recent], [34, 0, 33])
    })
  })
}
