import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cloudApi } from '../../../src/app/receive/meta.ts'
import type { Headers, Provider } from '../../../src/app/receive/provider.ts'
import { Quarantine } from '../../../src/app/receive/quarantine.ts'

const PROVIDER = cloudApi(['canary-secret'])
const LARGEST = 64 * 1024

function aQuarantine({ maxRequests = 10, maxBytes = 10 * LARGEST } = {}) {
  const quarantine = new Quarantine({ maxRequests, maxBytes, providers: [PROVIDER] })
  let added = 0
  const add = (bytes: number, provider: Provider = PROVIDER, headers: Headers = {}) => {
    const body = Buffer.alloc(bytes)
    quarantine.add({ path: '/webhook', provider, headers, body, receivedAt: ++added })
  }
  /** Which are kept: the first that was added is 1. */
  const kept = () => quarantine.list().map(({ receivedAt }) => receivedAt)
  return { quarantine, add, kept }
}

describe('what was refused is kept', () => {
  it('the newest first, as many as may be and no more', () => {
    const { add, kept } = aQuarantine({ maxRequests: 3 })
    for (let n = 0; n < 5; n++) add(0)
    assert.deepEqual(kept(), [5, 4, 3])
  })

  it('within its bytes, which an old one makes room in for a new one', () => {
    const { add, kept } = aQuarantine({ maxBytes: 100 })
    add(40)
    add(60)
    assert.deepEqual(kept(), [2, 1])
    add(1)
    assert.deepEqual(kept(), [3, 2])
    add(100)
    assert.deepEqual(kept(), [4])
  })

  it('also where one comes that is larger than all that may be kept', () => {
    const { add, kept } = aQuarantine({ maxBytes: 100 })
    add(100)
    add(101)
    assert.deepEqual(kept(), [1])
  })

  it('never where nothing may be', () => {
    const { add, kept } = aQuarantine({ maxRequests: 0 })
    add(0)
    assert.deepEqual(kept(), [])
  })

  it('up to 64 KiB of its body, which is told', () => {
    const { quarantine, add } = aQuarantine()
    add(LARGEST)
    add(LARGEST + 1)
    assert.deepEqual(
      quarantine.list().map(({ bytes, body }) => [bytes, body.length]),
      [
        [LARGEST + 1, LARGEST],
        [LARGEST, LARGEST],
      ],
    )
  })

  it('without any header but its signatures', () => {
    const { quarantine, add } = aQuarantine()
    const seen: Headers[] = []
    const authenticate = (_: Uint8Array, headers: Headers) => {
      seen.push(headers)
      return false
    }
    const headers = { 'x-hub-signature-256': '0'.repeat(64), authorization: 'Bearer canary' }
    add(1, { ...PROVIDER, authenticate }, headers)
    assert.equal(quarantine.list().length, 1)
    assert.ok(seen.length > 0)
    for (const { authorization } of seen) assert.equal(authorization, undefined)
  })
})
