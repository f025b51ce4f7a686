// A start on PostgreSQL that TLS keeps from succeeding, whoever waits: it ends and says why.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { selfSigned } from '../support/certificates.ts'
import { startOpenService } from '../support/open-service.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { runCommand } from '../support/run-command.ts'
import { refusedStart, untilReady } from '../support/service.ts'
import { SECRET } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { TlsServer } from '../support/tls-server.ts'

const PASSWORD = 'a-test-password'

async function assertRefused(t: TestContext, url: string, reason: RegExp): Promise<void> {
  const cwd = temporaryDirectory(t)
  const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: url }
  const { code, stderr, stdout } = await refusedStart(t, { cwd, environment })
  assert.equal(code, 2, stdout)
  assert.match(stderr, /^The PostgreSQL database can't be used: [^\n]+\.\n$/)
  assert.match(stderr, reason)
  assert.ok(!`${stderr}${stdout}`.includes(PASSWORD), stderr)
  const doctor = await runCommand(['doctor'], { cwd, environment })
  assert.match(doctor.stdout, reason, 'doctor says the same')
  assert.ok(!`${doctor.stdout}${doctor.stderr}`.includes(PASSWORD), doctor.stdout)
}

describe('the start on PostgreSQL', () => {
  let tls: TlsServer
  let url: string
  before(async () => {
    tls = await TlsServer.start()
    url = await tls.server.newDatabase()
  })
  after(() => tls.server.remove())

  it('succeeds with the right certificate', async (t) => {
    const environment = { DATABASE_URL: tls.urlFor(url) }
    const service = await startOpenService(t, { cwd: temporaryDirectory(t), environment })
    await untilReady(service)
  })

  it('ends where the file of sslrootcert is missing, is none, or holds no certificate', async (t) => {
    const directory = temporaryDirectory(t)
    const missing = join(directory, 'missing.pem')
    await assertRefused(t, tls.urlFor(url, missing), /sslrootcert=\S+missing\.pem .*\(ENOENT\): /)
    mkdirSync(join(directory, 'folder'))
    await assertRefused(t, tls.urlFor(url, join(directory, 'folder')), /sslrootcert=.*\(EISDIR\): /)
    for (const text of ['', 'not a certificate']) {
      const file = join(directory, 'text.pem')
      writeFileSync(file, text)
      await assertRefused(t, tls.urlFor(url, file), /sslrootcert=\S+text\.pem .*no certificate: /)
    }
  })

  it('ends where verify-ca is asked for without an authority', async (t) => {
    const careless = tls.urlFor(url).replace(/sslmode=.*$/, 'sslmode=verify-ca')
    await assertRefused(t, careless, /sslmode=verify-ca .*needs sslrootcert=FILE/)
  })

  it('ends where nobody known vouches for the certificate, and names the code', async (t) => {
    const other = selfSigned(temporaryDirectory(t), 'other.example')
    const codes = /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY/
    await assertRefused(t, tls.urlFor(url, other.certificate), codes)
    await assertRefused(t, tls.urlFor(url).replace(/&sslrootcert.*$/, ''), codes)
  })

  it('ends where the certificate is of another host', async (t) => {
    const elsewhere = tls.urlFor(url).replace('localhost', '127.0.0.1')
    await assertRefused(
      t,
      elsewhere,
      /of another host \(ERR_TLS_CERT_ALTNAME_INVALID\): connect by/,
    )
  })

  it('ends where the certificate has expired, or vouches for itself', async (t) => {
    await tls.rotate(tls.issue('localhost', -1))
    t.after(() => tls.rotate(tls.good))
    await assertRefused(t, tls.urlFor(url), /has expired \(CERT_HAS_EXPIRED\): replace it/)
    await tls.rotate(selfSigned(temporaryDirectory(t), 'localhost'))
    await assertRefused(t, tls.urlFor(url), /\(DEPTH_ZERO_SELF_SIGNED_CERT\): name its authority/)
  })

  it('ends where the server does not encrypt', async (t) => {
    const plain = await PostgresServer.start()
    t.after(() => plain.remove())
    await assertRefused(t, `${plain.url('postgres')}?sslmode=require`, /has no TLS: /)
  })
})
