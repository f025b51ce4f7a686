import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { presentEntry } from '../../../src/app/http/present.ts'
import type { Namespace } from '../../../src/app/model/event.ts'
import { parseTimestamp } from '../../../src/app/model/instant.ts'
import { aMessage } from '../../support/a-message.ts'

function keyOf(messageId: string, namespace: Namespace): string | null {
  const { body: _, ...message } = aMessage({ messageId })
  const ts = '2025-01-15T10:00:00Z'
  const instant = parseTimestamp(ts)
  assert.ok(instant !== null)
  return presentEntry({
    kind: 'message',
    intake: 1,
    message: {
      ...{ ...message, namespace, contact: null, seq: 1, provider: 'cloud-api', ts, instant },
      ...{ edited: false, revoked: false, status: null, receivedAt: 0 },
    },
  }).key
}

describe('the key of a message in the sequence', () => {
  it('is its id, and beside another namespace than the usual one that too', () => {
    assert.equal(keyOf('wamid.A', ''), 'wamid.A')
    assert.equal(keyOf('wamid.A', 'echo'), '["wamid.A","echo"]')
    assert.equal(keyOf('wamid.A', 'standby'), '["wamid.A","standby"]')
    assert.equal(keyOf('[a', ''), '[a')
  })

  it('is no other message’s, whatever their ids are', () => {
    const aNamespace = fc.constantFrom<Namespace>('', 'echo', 'standby')
    const anId = fc.oneof(
      fc.string({ minLength: 1, maxLength: 3 }),
      fc.constantFrom('a', '["', '["a","echo"]', '["a","standby"]', '["a",""]'),
    )
    // An id that looks like the key of another message.
    const keyed = fc.tuple(anId, aNamespace).map(([id, namespace]) => keyOf(id, namespace) ?? '')
    const anIdentity = fc.tuple(fc.oneof(anId, keyed), aNamespace)
    fc.assert(
      fc.property(anIdentity, anIdentity, (one, other) => {
        const isSame = one[0] === other[0] && one[1] === other[1]
        assert.equal(keyOf(...one) === keyOf(...other), isSame)
      }),
      { numRuns: 2000 },
    )
  })
})
