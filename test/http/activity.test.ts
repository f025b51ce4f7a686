// What counts as seen: GET /providers and GET /rejections speak of senders, not of doctor's probes.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { StoreUnavailableError } from '../../src/app/errors.ts'
import {
  BATCH_PROBE,
  FLAT_PROBE,
  FORGED_SIGNATURE,
  PROBE_CHALLENGE,
} from '../../src/app/receive/probe.ts'
import { APP_SECRET, batch, signedBatch } from '../support/cloud-api.ts'
import { openServer, type ServerOptions } from '../support/http-server.ts'
import { flatBody, signature } from '../support/signed.ts'

const TOKEN = 'canary-verify-token'
const META = 'x-hub-signature-256'

type Row = Readonly<Record<string, unknown>>

async function observed(test: TestContext, store?: ServerOptions['store']) {
  const server = await openServer(test, {
    environment: { META_APP_SECRET: APP_SECRET, META_VERIFY_TOKEN: TOKEN },
    ...(store === undefined ? {} : { store }),
  })
  const list = async (path: string) => (await server.get(path)).json<{ data: Row[] }>().data
  const seen = async (name: string, field: string) =>
    (await list('/providers')).find(({ provider }) => provider === name)?.[field]
  const send = async (payload: string, headers: Record<string, string>) =>
    (await server.app.inject({ method: 'POST', url: '/webhook', payload, headers })).statusCode
  return { server, seen, send, rejections: () => list('/rejections') }
}

test('accepted is what was answered 200', async (t) => {
  const { server, seen } = await observed(t)
  assert.equal((await server.post('{}')).statusCode, 422)
  assert.equal(await seen('flat', 'last_accepted_at'), null)
  assert.equal((await server.post(flatBody())).statusCode, 200)
  assert.notEqual(await seen('flat', 'last_accepted_at'), null)
})

test('what could not be stored was not accepted', async (t) => {
  const insert = () => Promise.reject(new StoreUnavailableError('away'))
  const { server, seen } = await observed(t, () => ({ insert }))
  assert.equal((await server.app.inject(signedBatch(batch()))).statusCode, 503)
  assert.equal(await seen('cloud-api', 'last_accepted_at'), null)
})

test("doctor's probes, which get through as they should, leave no trace", async (t) => {
  const { server, seen, send, rejections } = await observed(t)
  assert.equal((await server.app.inject(signedBatch(Buffer.from(BATCH_PROBE)))).statusCode, 200)
  assert.equal((await server.post(FLAT_PROBE)).statusCode, 422)
  assert.equal(await send(BATCH_PROBE, { [META]: `sha256=${FORGED_SIGNATURE}` }), 401)
  assert.equal(await send(FLAT_PROBE, { 'x-signature': FORGED_SIGNATURE }), 401)
  const asked = { 'hub.mode': 'subscribe', 'hub.challenge': `${PROBE_CHALLENGE}1` }
  for (const token of [TOKEN, 'another']) {
    await server.app.inject({ url: '/webhook', query: { ...asked, 'hub.verify_token': token } })
  }
  for (const name of ['flat', 'cloud-api']) {
    for (const field of ['last_accepted_at', 'last_rejected_at', 'last_handshake_at']) {
      assert.equal(await seen(name, field), null, `${name} ${field}`)
    }
  }
  assert.deepEqual(await rejections(), [])
})

test('nothing else hides behind a probe: neither its signature nor its body does', async (t) => {
  const { seen, send, rejections } = await observed(t)
  const forged = `sha256=${FORGED_SIGNATURE}`
  const hidden: readonly (readonly [string, Record<string, string>])[] = [
    ['{}', { [META]: forged }],
    [`${BATCH_PROBE}\n`, { [META]: forged }],
    // A probe with another secret should have held: why it did not is to be found out.
    [BATCH_PROBE, { [META]: `sha256=${signature(BATCH_PROBE, 'another')}` }],
    [BATCH_PROBE, {}],
  ]
  for (const [body, headers] of hidden) assert.equal(await send(body, headers), 401)
  assert.equal((await rejections()).length, hidden.length)
  assert.notEqual(await seen('cloud-api', 'last_rejected_at'), null)
  assert.notEqual(await seen('flat', 'last_rejected_at'), null)
})
