// What the committed sequence holds: each event once, in the order in which it was stored.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { aStatus, aText, change, type Fields } from '../support/cloud-api.ts'
import { messages, statuses } from '../support/cloud-changes.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { type NewPlace, usePlace } from './store-place.ts'

/** Messages and all other events in one sequence. */
export function sequenceContract(newPlace: NewPlace): void {
  describe('keeps events', () => {
    it('and messages in one sequence, of which any part can be read', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      await store.insert([
        intakeWith(messages(aText({ id: 'a' })), statuses(aStatus('x', 'sent'))),
        intakeWith(messages(aText({ id: 'b' })), change({ errors: [{ code: 1 }] })),
      ])
      const kinds = async (after: number, limit: number, filter = {}) => {
        const page = await store.eventsAfter({ filter, after, limit })
        const shown = page.entries.map((entry) =>
          entry.kind === 'message' ? entry.message.messageId : entry.event.kind,
        )
        return [shown, page.next]
      }
      assert.deepEqual(await kinds(0, 100), [['a', 'status', 'b', 'error'], 4])
      assert.deepEqual(await kinds(0, 2), [['a', 'status'], 2])
      assert.deepEqual(await kinds(2, 2), [['b', 'error'], 4])
      assert.deepEqual(await kinds(4, 2), [[], 4])
      assert.deepEqual(await kinds(0, 100, { kinds: ['status'] }), [['status'], 4])
      assert.deepEqual(await kinds(0, 1, { kinds: ['message'] }), [['a'], 1])
      assert.deepEqual(await kinds(0, 9, { contact: '+14155550100' }), [['a', 'status', 'b'], 4])
      assert.deepEqual(await kinds(0, 9, { phoneNumberId: 'none' }), [[], 4])
      assert.equal(await store.lastSeq(), 4)
    })

    it('each once, but errors that have no identity as often as they come', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const intake = intakeWith(
        messages(aText({ id: 'a' })),
        statuses(aStatus('a', 'sent'), aStatus('a', 'sent'), aStatus('a', 'read')),
        change({ errors: [{ code: 1 }] }),
        change({ event: 'DISABLED_UPDATE' }, 'account_update'),
      )
      await Promise.all([store.insert([intake]), store.insert([intake, intake])])
      const { eventsByKind, messagesByStatus } = await store.stats()
      assert.deepEqual(eventsByKind, { account: 1, error: 3, message: 1, status: 2 })
      assert.deepEqual(messagesByStatus, { read: 1 })
    })

    it('of a batch that overlaps an earlier one only what is new', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const [one, two, three] = ['1', '2', '3'].map((id) => aText({ id }))
      assert.ok(one && two && three)
      await store.insert([intakeWith(messages(one, two))])
      const { outcomes } = await store.insert([intakeWith(messages(two, three, one))])
      assert.deepEqual(
        outcomes[0]?.map(({ kind }) => kind),
        ['duplicate', 'created', 'duplicate'],
      )
      assert.equal((await store.stats()).totalMessages, 3)
    })

    it('and a message and an echo with one id as two, of which each is compared with its own', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const echo = (body: string) => {
        const item = aText({ id: 'a', from: '14155550101', to: '14155550100', text: { body } })
        return change({ message_echoes: [item] }, 'smb_message_echoes')
      }
      const insert = async (value: Fields) => (await store.insert([intakeWith(value)])).outcomes
      const message = messages(aText({ id: 'a' }))
      assert.deepEqual(await insert(message), [[{ kind: 'created' }]])
      assert.deepEqual(await insert(echo('Sent')), [[{ kind: 'created' }]])
      assert.deepEqual(await insert(message), [[{ kind: 'duplicate' }]])
      assert.deepEqual(await insert(echo('Sent')), [[{ kind: 'duplicate' }]])
      assert.equal((await insert(echo('Other')))[0]?.[0]?.kind, 'conflict')
      assert.equal((await store.stats()).totalMessages, 2)
    })

    it('and tells of two that differ in one body by the digest of that body', async (test) => {
      const store = await (await usePlace(test, newPlace)).open()
      const intake = intakeWith(
        messages(aText({ id: 'a' }), aText({ id: 'a', text: { body: 'x' } })),
      )
      const sha256 = createHash('sha256').update(intake.body).digest('hex')
      const { outcomes } = await store.insert([intake])
      assert.deepEqual(outcomes, [
        [{ kind: 'created' }, { kind: 'conflict', storedSha256: sha256, receivedSha256: sha256 }],
      ])
    })
  })
}
