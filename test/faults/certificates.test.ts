// Certificates that go wrong under a service that runs: no connection can be made, until they are
// right again.
import assert from 'node:assert/strict'
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { selfSigned } from '../support/certificates.ts'
import { post, type Service } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { TlsServer } from '../support/tls-server.ts'
import { until } from '../support/until.ts'
import { postgresAnomalies } from './postgres-checker.ts'
import { Sender } from './sender.ts'
import { newSettingFor, seedOf } from './setting.ts'

/** More than the pool has connections, so that some queries wait while others fail. */
const READERS = 12

async function startTls(t: TestContext): Promise<TlsServer> {
  const tls = await TlsServer.start()
  t.after(() => tls.server.remove())
  return tls
}

/**
 * Ends what is connected, and what was begun before and is being connected: from now on only new
 * connections count. The server tells of a connection once it is made, so nobody is let in until
 * all who read were refused.
 */
async function disconnect({ server }: TlsServer, service: Service, url: string): Promise<void> {
  const database = new URL(url).pathname.slice(1)
  await server.query(`alter database ${database} allow_connections false`)
  await until('nothing is connected', async () => {
    await server.disconnectService()
    return (await readAll(service)).every((status) => status === 503)
  })
  await server.query(`alter database ${database} allow_connections true`)
}

async function statusOf(service: Service, path: string): Promise<number> {
  const response = await fetch(`${service.url}${path}`)
  await response.arrayBuffer()
  return response.status
}

function readAll(service: Service): Promise<number[]> {
  const paths = Array.from({ length: READERS }, (_, i) => ['/messages', '/stats'][i % 2] ?? '')
  return Promise.all(paths.map((path) => statusOf(service, path)))
}

/** Nothing is stored and nothing read, each is told to come again, and the log names the code. */
async function assertAway(service: Service, code: string): Promise<void> {
  const body = toBytes(flatBody())
  const refused = await post(service, body, signature(body))
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.deepEqual(new Set(await readAll(service)), new Set([503]))
  assert.equal(await statusOf(service, '/health/ready'), 503)
  assert.equal(await statusOf(service, '/health/live'), 200)
  await until(`the log names ${code}`, () => service.stdout.includes(`"code":"${code}"`))
  assert.ok(!service.stdout.includes('a-test-password'))
  assert.equal(service.stderr, '')
}

async function assertHealed(service: Service, sender: Sender): Promise<void> {
  await until('it is ready again', async () => (await statusOf(service, '/health/ready')) === 200)
  await until('it stores again', async () => (await sender.sendOne(service.url)) === 200)
  assert.equal(await statusOf(service, '/messages'), 200)
}

test('a certificate rotated wrongly under a running service: 503, the log names the code, and a right one heals it', async (t) => {
  const tls = await startTls(t)
  const url = await tls.server.newDatabase()
  const service = await newSettingFor(tls.urlFor(url), t).start({ DATABASE_POOL_SIZE: '4' })
  const sender = new Sender({ seed: seedOf(t) })
  assert.equal(await sender.sendOne(service.url), 200)
  for (const [wrong, code] of [
    [tls.issue('localhost', -1), 'CERT_HAS_EXPIRED'],
    [tls.issue('elsewhere.example'), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [selfSigned(temporaryDirectory(t), 'localhost'), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ] as const) {
    await tls.rotate(wrong)
    await disconnect(tls, service, url)
    await assertAway(service, code)
    await tls.rotate(tls.good)
    await assertHealed(service, sender)
  }
  await service.stop()
  assert.deepEqual(await postgresAnomalies(url, sender.sent), [])
})

test('an authority’s file that vanishes or is emptied under a running service: 503, and the file heals it', async (t) => {
  const tls = await startTls(t)
  const url = await tls.server.newDatabase()
  const root = join(temporaryDirectory(t), 'root.pem')
  copyFileSync(tls.authority.certificate, root)
  const service = await newSettingFor(tls.urlFor(url, root), t).start({ DATABASE_POOL_SIZE: '4' })
  const sender = new Sender({ seed: seedOf(t) })
  assert.equal(await sender.sendOne(service.url), 200)
  for (const [spoil, code] of [
    [() => rmSync(root), 'ENOENT'],
    [() => writeFileSync(root, ''), 'ERR_TLS_FILE'],
  ] as const) {
    spoil()
    await disconnect(tls, service, url)
    await assertAway(service, code)
    copyFileSync(tls.authority.certificate, root)
    await assertHealed(service, sender)
  }
  await service.stop()
  assert.deepEqual(await postgresAnomalies(url, sender.sent), [])
})
