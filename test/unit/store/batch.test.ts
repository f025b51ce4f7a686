import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Intake } from '../../../src/app/model/event.ts'
import { packBatch, unpackBatch } from '../../../src/app/store/sqlite/batch.ts'
import { aMessage, intakeOf } from '../../support/a-message.ts'
import { aText } from '../../support/texts.ts'

const someIntakes: fc.Arbitrary<readonly Intake[]> = fc.array(
  fc
    .record({
      messageId: aText(),
      text: fc.oneof(fc.constant(null), fc.constantFrom('', '='), aText()),
      body: fc.uint8Array({ maxLength: 50 }),
    })
    .map((fields) => intakeOf(aMessage(fields))),
  { maxLength: 8 },
)

/** Across a thread border, as the store sends it. */
function sent(intakes: readonly Intake[]) {
  const packed = packBatch(intakes)
  const transfer = [packed.bodies.buffer, packed.lengths.buffer] as ArrayBuffer[]
  return unpackBatch(structuredClone(packed, { transfer }))
}

function comparable(intake: Intake) {
  return { ...intake, body: Uint8Array.from(intake.body) }
}

function withBody(body: Uint8Array): Intake {
  return intakeOf(aMessage({ body }))
}

describe('a packed batch', () => {
  it('is unpacked as what was packed, whatever the messages', () => {
    fc.assert(
      fc.property(someIntakes, (intakes) => {
        assert.deepEqual(sent(intakes), intakes.map(comparable))
      }),
      { numRuns: 300 },
    )
  })

  it('may hold nothing', () => assert.deepEqual(sent([]), []))

  it('may hold bodies of no bytes, and intakes without events', () => {
    const bodies = [new Uint8Array(0), Uint8Array.of(1, 2), new Uint8Array(0)]
    const unpacked = sent(bodies.map((body) => ({ ...withBody(body), events: [] })))
    assert.deepEqual(
      unpacked.map(({ body }) => body),
      bodies,
    )
  })

  it('leaves the bodies where they were, also those that share a buffer', () => {
    const shared = Buffer.from('one body and another')
    const unpacked = sent([shared.subarray(0, 8), shared.subarray(9)].map(withBody))
    assert.deepEqual(
      unpacked.map(({ body }) => Buffer.from(body).toString()),
      ['one body', 'and another'],
    )
    assert.equal(shared.toString(), 'one body and another')
  })

  it('is refused when bodies are missing', () => {
    const packed = packBatch([withBody(Uint8Array.of(1)), withBody(Uint8Array.of(2))])
    const lengths = packed.lengths.subarray(0, 1)
    assert.throws(() => unpackBatch({ ...packed, lengths }), /fewer bodies/)
  })
})
