import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { flat } from '../../../src/app/receive/flat.ts'
import { cloudApi } from '../../../src/app/receive/meta.ts'
import type { Provider } from '../../../src/app/receive/provider.ts'
import { Quarantine } from '../../../src/app/receive/quarantine.ts'

const BODY = Buffer.from('{"n":1}')
const HEX = '0123456789abcdef0123456789abcdef'
const BASE64 = 'MDEyMzQ1Njc4OWFiY2RlZg'

/** What is told of a body that was signed with `key`, or of one with these headers. */
function told(provider: Provider, signedWith: string | Buffer | Record<string, string>) {
  const quarantine = new Quarantine({ maxRequests: 1, maxBytes: 1000, providers: [provider] })
  const headers =
    typeof signedWith === 'string' || Buffer.isBuffer(signedWith)
      ? { [provider.signatureHeader]: createHmac('sha256', signedWith).update(BODY).digest('hex') }
      : signedWith
  quarantine.add({ path: '/webhook', provider, headers, body: BODY, receivedAt: 0 })
  const [rejection] = quarantine.list()
  assert.ok(rejection)
  return rejection
}

describe('a secret that is written down wrongly', () => {
  const slips: readonly [string, string, string | Buffer, string][] = [
    ['quotes that the configuration kept', `"${HEX}"`, HEX, 'quoted_secret'],
    ['single quotes', `'${HEX}'`, HEX, 'quoted_secret'],
    ['quotes around several secrets', `"${HEX}`, HEX, 'quoted_secret'],
    ["a line end in the sender's copy", HEX, `${HEX}\n`, 'secret_line_end'],
    ['a line end of Windows', HEX, `${HEX}\r\n`, 'secret_line_end'],
    ['a sender that decodes hex', HEX, Buffer.from(HEX, 'hex'), 'hex_secret'],
    ['a sender that decodes base64', BASE64, Buffer.from(BASE64, 'base64'), 'base64_secret'],
    ['padded base64', `${BASE64}==`, Buffer.from(BASE64, 'base64'), 'base64_secret'],
    ['another secret', HEX, 'another', 'wrong_secret'],
    ['no secret at all, where quotes enclose nothing', '""', '', 'wrong_secret'],
    ['no secret at all, where base64 stands for nothing', 'A', '', 'wrong_secret'],
  ]
  for (const [name, configured, used, cause] of slips) {
    it(`is found: ${name}`, () => {
      for (const provider of [flat([HEX.replace('0', '1'), configured]), cloudApi([configured])]) {
        assert.equal(told(provider, used).cause, cause)
      }
    })
  }
})

describe('the advice', () => {
  it('names the setting, and what to compare it with', () => {
    assert.match(told(flat([HEX]), 'x').advice, /compare WEBHOOK_SECRET with .* the sender signs/)
    assert.match(told(cloudApi([HEX]), 'x').advice, /compare META_APP_SECRET with .*dashboard/)
    assert.doesNotMatch(told(flat([HEX]), 'x').advice, /dashboard/)
    assert.match(told(flat([`"${HEX}"`]), HEX).advice, /WEBHOOK_SECRET/)
  })

  it('names the header that is missing or malformed', () => {
    assert.match(told(flat([HEX]), {}).advice, / X-Signature /)
    assert.match(told(cloudApi([HEX]), {}).advice, / X-Hub-Signature-256 /)
    assert.match(told(flat([HEX]), { 'x-signature': 'no' }).advice, /^X-Signature /)
  })

  it('quotes no secret', () => {
    for (const used of [HEX, `${HEX}\n`, 'x']) {
      assert.doesNotMatch(told(flat([`"${HEX}"`, HEX]), used).advice, /0123/)
    }
  })
})
