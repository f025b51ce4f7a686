import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { InsertOutcome } from '../../src/app/model/message.ts'
import { type AMessage, aMessage, asShown, insertAll, shown } from '../support/a-message.ts'
import { type NewPlace, usePlace, useStore } from './store-place.ts'

const CREATED = { kind: 'created' } as const
const DUPLICATE = { kind: 'duplicate' } as const

function conflict(stored: AMessage, received: AMessage): InsertOutcome {
  return { kind: 'conflict', storedSha256: sha256(stored), receivedSha256: sha256(received) }
}

function sha256({ body }: AMessage): string {
  return createHash('sha256').update(body).digest('hex')
}

/** The first write of a message wins, every later one is a duplicate. */
export function exactlyOnceContract(newPlace: NewPlace): void {
  describe('stores each message exactly once', () => {
    const store = useStore(newPlace)

    async function insert(...batch: AMessage[]) {
      return insertAll(store(), batch)
    }

    it('within one batch: the first write wins', async () => {
      const first = aMessage({ messageId: 'twice', text: 'first' })
      const second = aMessage({ messageId: 'twice', text: 'second' })
      assert.deepEqual(await insert(first, first, aMessage(), second), [
        CREATED,
        DUPLICATE,
        CREATED,
        conflict(first, second),
      ])
      assert.deepEqual(shown(await store().find('twice')), asShown(first))
    })

    it('across batches: the first write wins', async () => {
      const first = aMessage({ messageId: 'again', text: 'first' })
      const second = aMessage({ messageId: 'again', text: 'second' })
      assert.deepEqual(await insert(first), [CREATED])
      assert.deepEqual(await insert(second, first), [conflict(first, second), DUPLICATE])
      assert.deepEqual(shown(await store().find('again')), asShown(first))
    })

    it('and calls other bytes that say the same a duplicate', async () => {
      const message = aMessage()
      const respelt = { ...message, body: Buffer.concat([message.body, Buffer.from('\n')]) }
      assert.deepEqual(await insert(message), [CREATED])
      assert.deepEqual(await insert(respelt), [DUPLICATE])
    })

    for (const [field, other] of [
      ['from', '+14155559999'],
      ['to', '+14155559999'],
      ['ts', '2025-01-15T10:00:00.0Z'],
      ['text', 'hello'],
      ['text', ''],
      ['text', null],
    ] as const) {
      it(`and calls a copy with ${JSON.stringify(other)} as its ${field} a conflict`, async () => {
        const message = aMessage()
        const changed = aMessage({ ...asShown(message), [field]: other })
        await insert(message)
        assert.deepEqual(await insert(changed), [conflict(message, changed)])
        assert.deepEqual(shown(await store().find(message.messageId)), asShown(message))
      })
    }

    it('and calls a copy that differs in anything else a duplicate', async () => {
      const message = aMessage()
      const other = { type: 'image', direction: 'outbound', phoneNumberId: '1' } as const
      await insert(message)
      assert.deepEqual(await insert({ ...message, ...other }), [DUPLICATE])
    })

    it('and tells no text from an empty one', async () => {
      const [none, empty] = [aMessage({ text: null }), aMessage({ text: '' })]
      assert.deepEqual(await insert(none, empty), [CREATED, CREATED])
      assert.deepEqual(await insert(none, empty), [DUPLICATE, DUPLICATE])
      assert.equal((await store().find(none.messageId))?.message.text, null)
      assert.equal((await store().find(empty.messageId))?.message.text, '')
    })

    it('when copies come in many batches at the same moment', async () => {
      const copies = Array.from({ length: 20 }, (_, i) =>
        aMessage({ messageId: 'at-once', text: `copy ${i}` }),
      )
      const outcomes = (await Promise.all(copies.map((copy) => insert(copy)))).flat()
      const winner = outcomes.findIndex(({ kind }) => kind === 'created')
      const stored = copies[winner]
      assert.ok(stored)
      assert.deepEqual(
        outcomes,
        copies.map((copy, i) => (i === winner ? CREATED : conflict(stored, copy))),
      )
      assert.deepEqual(shown(await store().find('at-once')), asShown(stored))
    })

    it('when two batches at the same moment hold the same messages in opposite orders', async () => {
      const messages = Array.from({ length: 50 }, () => aMessage())
      const [one, other] = await Promise.all([
        insert(...messages),
        insert(...messages.toReversed()),
      ])
      for (const [i, outcome] of one.entries()) {
        const kinds = [outcome.kind, other.at(-1 - i)?.kind].sort()
        assert.deepEqual(kinds, ['created', 'duplicate'])
      }
    })

    it('and takes ids that differ only in case, composition or a blank for different ones', async () => {
      const ids = ['id', 'ID', 'id ', ' id', 'é', 'e\u0301', 'É', '\u212b', '\u00c5']
      const messages = ids.map((messageId) => aMessage({ messageId }))
      assert.deepEqual(
        await insert(...messages),
        ids.map(() => CREATED),
      )
      for (const message of messages) {
        assert.deepEqual(shown(await store().find(message.messageId)), asShown(message))
      }
    })

    it('and gives it back exactly as it was', async () => {
      const message = aMessage({
        messageId: 'odd/ID %é🎉\n',
        ts: '2025-01-15T10:00:00.500Z',
        text: 'É e\u0301 🎉 \' " \\ % _ \n\t \ufffd \u{10ffff} ',
      })
      assert.deepEqual(await insert(message), [CREATED])
      assert.deepEqual(shown(await store().find(message.messageId)), asShown(message))
      assert.equal(await store().find('odd/id %é🎉\n'), null)
      assert.equal(await store().find(''), null)
    })

    it('and an empty batch is none', async () => {
      assert.deepEqual(await insert(), [])
    })

    it('also when it was stored before the last start', async (test) => {
      const place = await usePlace(test, newPlace)
      const [message, changed] = [
        aMessage({ messageId: 'm' }),
        aMessage({ messageId: 'm', text: '' }),
      ]
      const first = await place.open()
      await insertAll(first, [message])
      await first.close()
      const second = await place.open()
      const outcomes = await insertAll(second, [message, changed])
      assert.deepEqual(outcomes, [
        place.persistent ? DUPLICATE : CREATED,
        conflict(message, changed),
      ])
      assert.equal((await second.stats()).totalMessages, 1)
    })
  })
}
