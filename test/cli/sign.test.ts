import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startOpenService } from '../support/open-service.ts'
import { runCommand } from '../support/run-command.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// printf %s BYTES | openssl dgst -sha256 -hmac SECRET
const VECTORS = [
  {
    secret: 'key',
    bytes: 'The quick brown fox jumps over the lazy dog',
    hex: 'f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8',
  },
  {
    secret: 'Jefe',
    bytes: 'what do ya want for nothing?',
    hex: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    secret: 'schlüssel',
    bytes: '',
    hex: '69ab8b9cf00406eeccb2c95ecef962a95db76b7213f920cbacf937ef2bfe1432',
  },
]

describe('sign', { concurrency: 2 }, () => {
  for (const { secret, bytes, hex } of VECTORS) {
    it(`prints what openssl prints for ${JSON.stringify(bytes)}`, async (test) => {
      const cwd = temporaryDirectory(test)
      const environment = { WEBHOOK_SECRET: secret }
      const { stdout, code } = await runCommand(['sign'], { cwd, environment, input: bytes })
      assert.deepEqual({ stdout, code }, { stdout: `${hex}\n`, code: 0 })
    })
  }

  it('signs the bytes of a file as they are, with the first secret of .env', async (test) => {
    const cwd = temporaryDirectory(test)
    const bytes = Buffer.from([0x00, 0xff, 0x0d, 0x0a, 0xc3])
    writeFileSync(join(cwd, 'body'), bytes)
    writeFileSync(join(cwd, '.env'), 'WEBHOOK_SECRET=new,old\n')
    const { stdout } = await runCommand(['sign', 'body'], { cwd, environment: {} })
    assert.equal(stdout, `${signature(bytes, 'new')}\n`)
  })

  it('makes a signature that the service accepts', async (test) => {
    const cwd = temporaryDirectory(test)
    const service = await startOpenService(test, { cwd })
    const body = toBytes(flatBody())
    const { stdout } = await runCommand(['sign'], { cwd, input: body })
    const answer = await fetch(`${service.url}/webhook`, {
      method: 'POST',
      headers: { 'x-signature': stdout.trim() },
      body,
    })
    assert.equal(answer.status, 200)
  })
})
