import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { IncomingMessage } from '../../../src/app/model/message.ts'
import { packBatch, unpackBatch } from '../../../src/app/store/sqlite/batch.ts'
import { aMessage } from '../../support/a-message.ts'
import { aText } from '../../support/texts.ts'

const someMessages: fc.Arbitrary<readonly IncomingMessage[]> = fc.array(
  fc
    .record({
      messageId: aText(),
      text: fc.oneof(fc.constant(null), fc.constantFrom('', '='), aText()),
      body: fc.uint8Array({ maxLength: 50 }),
    })
    .map(aMessage),
  { maxLength: 8 },
)

/** Across a thread border, as the store sends it. */
function sent(messages: readonly IncomingMessage[]) {
  const packed = packBatch(messages)
  const transfer = [packed.bodies.buffer, packed.lengths.buffer] as ArrayBuffer[]
  return unpackBatch(structuredClone(packed, { transfer }))
}

function comparable(message: IncomingMessage) {
  return { ...message, body: Uint8Array.from(message.body) }
}

describe('a packed batch', () => {
  it('is unpacked as what was packed, whatever the messages', () => {
    fc.assert(
      fc.property(someMessages, (messages) => {
        assert.deepEqual(sent(messages), messages.map(comparable))
      }),
      { numRuns: 300 },
    )
  })

  it('tells a text that is empty from none', () => {
    const texts = sent([aMessage({ text: '' }), aMessage({ text: null })]).map(({ text }) => text)
    assert.deepEqual(texts, ['', null])
  })

  it('may hold nothing', () => assert.deepEqual(sent([]), []))

  it('may hold bodies of no bytes', () => {
    const bodies = [new Uint8Array(0), Uint8Array.of(1, 2), new Uint8Array(0)]
    const unpacked = sent(bodies.map((body) => aMessage({ body })))
    assert.deepEqual(
      unpacked.map(({ body }) => body),
      bodies,
    )
  })

  it('leaves the bodies where they were, also those that share a buffer', () => {
    const shared = Buffer.from('one body and another')
    const messages = [shared.subarray(0, 8), shared.subarray(9)].map((body) => aMessage({ body }))
    const unpacked = sent(messages)
    assert.deepEqual(
      unpacked.map(({ body }) => Buffer.from(body).toString()),
      ['one body', 'and another'],
    )
    assert.equal(shared.toString(), 'one body and another')
  })

  it('is refused when fields are missing', () => {
    const packed = packBatch([aMessage(), aMessage()])
    const fields = packed.fields.slice(0, packed.fields.lastIndexOf('\u0000'))
    assert.throws(() => unpackBatch({ ...packed, fields }), /fewer fields/)
  })
})
