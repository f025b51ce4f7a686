import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { signBody, signingKeys, verifySignature } from '../../../src/app/receive/verify.ts'
import { anyCharacter } from '../../support/any-character.ts'
import { signature } from '../../support/signed.ts'

const SECRET = 'a-secret-of-at-least-thirty-two-bytes'
const BODY = Buffer.from('{"message_id":"m-1"}')
const HEX = signature(BODY, SECRET)
const KEYS = signingKeys([SECRET])

const aSecret = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 100 })
const aBody = fc.uint8Array({ maxLength: 300 })

describe('verifySignature', () => {
  for (const [form, header] of [
    ['64 hex digits', HEX],
    ['64 hex digits in upper case', HEX.toUpperCase()],
    ['64 hex digits after sha256=', `sha256=${HEX}`],
    ['64 hex digits in upper case after sha256=', `sha256=${HEX.toUpperCase()}`],
    ['64 hex digits in mixed case', HEX.replace(/[a-f]/, (digit) => digit.toUpperCase())],
  ] as const) {
    it(`takes ${form}`, () => assert.ok(verifySignature(KEYS, BODY, header)))
  }

  for (const [form, header] of [
    ['no header', undefined],
    ['an empty header', ''],
    ['the prefix alone', 'sha256='],
    ['trailing letters', `${HEX}zz`],
    ['one digit too many', `${HEX}0`],
    ['one digit too few', HEX.slice(0, 63)],
    ['one digit too few at the front', HEX.slice(1)],
    ['62 digits', HEX.slice(2)],
    ['a trailing space', `${HEX} `],
    ['a leading space', ` ${HEX}`],
    ['a trailing newline', `${HEX}\n`],
    ['a trailing carriage return', `${HEX}\r`],
    ['a trailing U+0000', `${HEX}\u0000`],
    ['a line before it', `\n${HEX}`],
    ['a second line', `${HEX}\n${HEX}`],
    ['a header that came twice', `${HEX}, ${HEX}`],
    ['a header that came twice, as an array', [HEX, HEX]],
    ['an array of one', [HEX]],
    ['an empty array', []],
    ['the prefix in upper case', `SHA256=${HEX}`],
    ['the prefix twice', `sha256=sha256=${HEX}`],
    ['the prefix and a space', `sha256= ${HEX}`],
    ['another prefix', `sha1=${HEX}`],
    ['a prefix of a later scheme', `v1,${HEX}`],
    ['0x before it', `0x${HEX}`],
    ['a letter that is no hex digit', `${HEX.slice(0, 63)}g`],
    ['full-width digits', '０'.repeat(64)],
    ['Arabic-Indic digits', '٠'.repeat(64)],
    ['base64', Buffer.from(HEX, 'hex').toString('base64')],
    ['zeros', '0'.repeat(64)],
    ['the signature of an empty body', signature('', SECRET)],
    ['the signature under another secret', signature(BODY, `${SECRET}.`)],
    ['the signature under an empty secret', signature(BODY, '')],
  ] as const) {
    it(`refuses ${form}`, () => {
      const value = typeof header === 'object' ? [...header] : header
      assert.equal(verifySignature(KEYS, BODY, value), false)
    })
  }

  it('takes each of several secrets while they are rotated, and no other', () => {
    const keys = signingKeys(['the old one', 'the new one'])
    assert.ok(verifySignature(keys, BODY, signature(BODY, 'the old one')))
    assert.ok(verifySignature(keys, BODY, signature(BODY, 'the new one')))
    assert.ok(!verifySignature(keys, BODY, signature(BODY, 'the old one,the new one')))
    assert.ok(!verifySignature(keys, BODY, HEX))
  })

  it('takes nothing under an empty secret, alone or among others', () => {
    const empty = signature(BODY, '')
    assert.ok(!verifySignature(signingKeys(['']), BODY, empty))
    assert.ok(!verifySignature(signingKeys(['', SECRET, '']), BODY, empty))
    assert.ok(verifySignature(signingKeys(['', SECRET, '']), BODY, HEX))
  })

  it('takes nothing when there is no secret', () => {
    assert.ok(!verifySignature(signingKeys([]), BODY, HEX))
  })

  it('takes what was signed with the same secret, whatever the bytes', () => {
    fc.assert(
      fc.property(aSecret, aBody, (secret, body) => {
        assert.ok(verifySignature(signingKeys([secret]), body, signature(body, secret)))
      }),
    )
  })

  it('refuses a body with any single bit flipped', () => {
    fc.assert(
      fc.property(aSecret, fc.uint8Array({ minLength: 1, maxLength: 40 }), (secret, body) => {
        const keys = signingKeys([secret])
        const header = signature(body, secret)
        for (let bit = 0; bit < body.length * 8; bit++) {
          const flipped = body.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
          assert.equal(verifySignature(keys, flipped, header), false, `bit ${bit}`)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('refuses a body with a byte more or less', () => {
    assert.ok(!verifySignature(KEYS, Buffer.concat([BODY, Buffer.from(' ')]), HEX))
    assert.ok(!verifySignature(KEYS, BODY.subarray(1), HEX))
    assert.ok(!verifySignature(KEYS, BODY.subarray(0, -1), HEX))
  })

  it('refuses a signature with any digit changed', () => {
    for (let at = 0; at < HEX.length; at++) {
      for (const digit of '0123456789abcdef') {
        const changed = `${HEX.slice(0, at)}${digit}${HEX.slice(at + 1)}`
        assert.equal(verifySignature(KEYS, BODY, changed), digit === HEX[at])
      }
    }
  })

  it('refuses any other text without throwing', () => {
    const aHeader = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.string({ unit: fc.constantFrom(...HEX) }),
    )
    fc.assert(
      fc.property(aHeader, fc.array(aHeader), (header, headers) => {
        assert.equal(verifySignature(KEYS, BODY, header), false)
        assert.equal(verifySignature(KEYS, BODY, headers), false)
      }),
    )
  })
})

describe('signBody', () => {
  it('gives lower-case hex of the HMAC-SHA256, as any other implementation does', () => {
    // RFC 4231, test case 2.
    assert.equal(
      signBody('Jefe', Buffer.from('what do ya want for nothing?')),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
    assert.equal(signBody(SECRET, BODY), HEX)
  })

  it('takes a secret as UTF-8', () => {
    assert.equal(signBody('gehèim🔑', BODY), signature(BODY, 'gehèim🔑'))
    assert.ok(verifySignature(signingKeys(['gehèim🔑']), BODY, signature(BODY, 'gehèim🔑')))
  })
})
