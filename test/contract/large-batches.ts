import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anEdit, aStatus, aText, at, change } from '../support/cloud-api.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { type NewPlace, useStore } from './store-place.ts'

/** More than an engine takes at once. */
const MANY = 600

function messages(said: (i: number) => string) {
  return Array.from({ length: MANY }, (_, i) =>
    aText({ id: `large-${i}`, from: `1415${5550000 + i}`, text: { body: said(i) } }),
  )
}

const statuses = (status: string) =>
  Array.from({ length: MANY }, (_, i) => aStatus(`large-${i}`, status))

/** A body of thousands of events is one batch like any other. */
export function largeBatchContract(newPlace: NewPlace): void {
  describe('a body with more events than are stored at once', () => {
    const store = useStore(newPlace)

    it('is stored as a whole, each message once and with its latest status', async () => {
      const again = messages((i) => (i === 7 ? 'something else' : `text ${i}`))
      const intake = intakeWith(
        change({ messages: [...messages((i) => `text ${i}`), ...again] }),
        change({ statuses: [...statuses('read'), ...statuses('sent')] }),
      )
      const { outcomes } = await store().insert([intake])
      const kinds = (outcomes[0] ?? []).map(({ kind }) => kind)
      const all = <Kind>(kind: Kind) => Array.from({ length: MANY }, () => kind)
      assert.deepEqual(kinds, [
        ...all('created'),
        ...all('duplicate').with(7, 'conflict'),
        ...all('created'),
        ...all('created'),
      ])
      const stats = await store().stats()
      assert.equal(stats.totalMessages, MANY)
      assert.deepEqual(stats.eventsByKind, { message: MANY, status: 2 * MANY })
      const { entries } = await store().eventsAfter({ filter: {}, after: 0, limit: MANY })
      assert.deepEqual(
        entries.map((entry) => (entry.kind === 'message' ? entry.message.messageId : entry.kind)),
        Array.from({ length: MANY }, (_, i) => `large-${i}`),
      )
      const found = await store().find('large-599')
      assert.equal(found?.message.text, 'text 599')
      assert.equal(found.message.status, 'read')
    })

    it('is stored also where one of them changes others', async () => {
      const who = { id: 'large-edit', from: '14155550000' }
      const edit = anEdit('large-0', 'edited', { ...who, ...at(100) })
      const { outcomes } = await store().insert([
        intakeWith(change({ messages: [...messages((i) => `text ${i}`), edit] })),
      ])
      const kinds = (outcomes[0] ?? []).map(({ kind }) => kind)
      assert.equal(kinds.filter((kind) => kind === 'created').length, 1)
      assert.equal((await store().find('large-0'))?.message.text, 'edited')
    })
  })
}
