import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { askReady } from '../support/ask-until.ts'
import {
  APP_SECRET,
  aRevocation,
  aStatus,
  aText,
  batch,
  change,
  metaJson,
  signedBatch,
} from '../support/cloud-api.ts'
import { openServer, type TestServer } from '../support/http-server.ts'
import { CANARY, flatBody, signature } from '../support/signed.ts'

const VERIFY_TOKEN = 'canary-verify-token'
const environment = { META_APP_SECRET: APP_SECRET, META_VERIFY_TOKEN: VERIFY_TOKEN }
const server = await openServer({ after }, { environment })
const { app } = server

type Json = Record<string, unknown>
const read = async (url: string) => (await server.get(url)).json<Json>()
const handshake = (query: Record<string, string>, url = '/webhook') => app.inject({ url, query })

test('the handshake answers the challenge and nothing else, as text', async () => {
  for (const url of ['/webhook', '/webhook/cloud-api']) {
    for (const challenge of ['1158201444', 'a <b> ä "c"', '{}', ' ']) {
      const answer = await handshake(
        {
          'hub.mode': 'subscribe',
          'hub.verify_token': VERIFY_TOKEN,
          'hub.challenge': challenge,
        },
        url,
      )
      assert.equal(answer.statusCode, 200)
      assert.equal(answer.body, challenge)
      assert.match(String(answer.headers['content-type']), /^text\/plain/)
    }
  }
})

test('a handshake with anything else is 403', async () => {
  const right = {
    'hub.mode': 'subscribe',
    'hub.verify_token': VERIFY_TOKEN,
    'hub.challenge': '1',
  }
  for (const wrong of [
    {},
    { ...right, 'hub.verify_token': 'another' },
    { ...right, 'hub.verify_token': '' },
    { ...right, 'hub.verify_token': `${VERIFY_TOKEN} ` },
    { ...right, 'hub.mode': 'unsubscribe' },
    { 'hub.mode': 'subscribe', 'hub.verify_token': VERIFY_TOKEN },
  ]) {
    assert.equal((await handshake(wrong)).statusCode, 403)
  }
})

test('a visitor of the callback URL, who asks for nothing, is no handshake', async (t) => {
  const visited = await openServer(t, { environment })
  const ask = (query: Record<string, string>) => visited.app.inject({ url: '/webhook', query })
  const last = async () => {
    const { data } = (await visited.get('/providers')).json<{ data: Json[] }>()
    return data.find(({ provider }) => provider === 'cloud-api')?.['last_handshake_ok']
  }
  const token = { 'hub.verify_token': VERIFY_TOKEN }
  const right = { 'hub.mode': 'subscribe', ...token, 'hub.challenge': '1' }
  assert.equal((await ask(right)).statusCode, 200)
  const visits: Record<string, string>[] = [{}, { a: '1' }, { 'hub.mode': 'subscribe' }, token]
  for (const query of visits) {
    assert.equal((await ask(query)).statusCode, 403)
    assert.equal(await last(), true)
  }
  await ask({ ...right, 'hub.verify_token': 'another' })
  assert.equal(await last(), false)
})

test('a handshake with a parameter twice is one that fails', async (t) => {
  const right = `hub.mode=subscribe&hub.verify_token=${VERIFY_TOKEN}&hub.challenge=1`
  for (const twice of right.split('&')) {
    const fresh = await openServer(t, { environment })
    assert.equal((await fresh.app.inject(`/webhook?${right}&${twice}`)).statusCode, 403, twice)
    const { data } = (await fresh.get('/providers')).json<{ data: Json[] }>()
    const meta = data.find(({ provider }) => provider === 'cloud-api')
    assert.equal(meta?.['last_handshake_ok'], false, twice)
  }
})

test('without META_VERIFY_TOKEN no handshake succeeds', async (t) => {
  const without = await openServer(t)
  const query = { 'hub.mode': 'subscribe', 'hub.verify_token': '', 'hub.challenge': '1' }
  assert.equal((await without.app.inject({ url: '/webhook', query })).statusCode, 403)
})

test('a signed batch is stored before it is answered, on both paths', async () => {
  for (const url of ['/webhook', '/webhook/cloud-api']) {
    const id = `wamid.${url}`
    const value = batch(change({ messages: [aText({ id, text: { body: 'Grüße 🎉 a@b.c/d' } })] }))
    const answer = await app.inject(signedBatch(value, { url }))
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.body, '{"status":"ok"}')
    assert.equal((await read(`/messages/${encodeURIComponent(id)}`))['text'], 'Grüße 🎉 a@b.c/d')
  }
})

test('any changed byte of a signed body is 401', async () => {
  const signed = signedBatch(batch(change({ messages: [aText({ text: { body: 'ä/' } })] })))
  await fc.assert(
    fc.asyncProperty(
      fc.nat(signed.payload.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const payload = Buffer.from(signed.payload)
        payload[at] = (payload[at] ?? 0) ^ flip
        assert.equal((await app.inject({ ...signed, payload })).statusCode, 401)
      },
    ),
    { numRuns: 60 },
  )
})

test('each of several app secrets signs', async (t) => {
  const several = await openServer(t, {
    environment: { META_APP_SECRET: 'canary-app-one, canary-app-two' },
  })
  for (const [secret, status] of [
    ['canary-app-one', 200],
    ['canary-app-two', 200],
    [APP_SECRET, 401],
  ] as const) {
    const answer = await several.app.inject(signedBatch(batch(), { secret }))
    assert.equal(answer.statusCode, status)
  }
})

const readiness = async (asked: TestServer) =>
  (await askReady(() => asked.app.inject('/health/ready'))).statusCode

test('a provider without a secret is 503, and the service is ready with any', async (t) => {
  const onlyMeta = await openServer(t, { environment: { ...environment, WEBHOOK_SECRET: '' } })
  assert.equal((await onlyMeta.post(flatBody())).statusCode, 503)
  assert.equal((await onlyMeta.app.inject(signedBatch(batch()))).statusCode, 200)
  assert.equal(await readiness(onlyMeta), 200)
  const onlyFlat = await openServer(t)
  const refused = await onlyFlat.app.inject(signedBatch(batch()))
  assert.equal(refused.statusCode, 503)
  assert.ok(refused.headers['retry-after'])
  assert.equal(await readiness(onlyFlat), 200)
})

test('once it is signed, a body of any kind is 200 and stored', async (t) => {
  const fresh = await openServer(t, { environment })
  const bodies = ['', 'no JSON', '{', 'null', '[1]', '{}', '\xff\xfe', '['.repeat(5000)]
  for (const body of bodies) {
    const answer = await fresh.app.inject(signedBatch(Buffer.from(body, 'latin1')))
    assert.equal(answer.statusCode, 200, body.slice(0, 9))
  }
  const stats = (await fresh.get('/stats')).json<{ events_by_kind: object }>()
  assert.deepEqual(stats.events_by_kind, { unknown: bodies.length })
})

test('fuzzed batches are never refused, and never lose a neighbour', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 4 }), async (odd) => {
      const id = `wamid.neighbour-${run++}`
      const value = batch(
        ...odd.map((item) => change({ messages: item, statuses: [item] })),
        change({ messages: [...odd, aText({ id }), ...odd] }),
      )
      assert.equal((await app.inject(signedBatch(value))).statusCode, 200)
      assert.equal((await server.get(`/messages/${id}`)).statusCode, 200)
    }),
    { numRuns: 60 },
  )
})

test('what is far too long to be looked up by is stored all the same, and its neighbours', async (t) => {
  const fresh = await openServer(t, { environment })
  // Nothing that a database could compress until it fits into an index.
  const long = (what: string) => `${what}${randomBytes(6000).toString('base64')}`
  const ids = { from: long('from'), from_user_id: long('user'), from_parent_user_id: long('up') }
  const profile = { wa_id: ids.from, user_id: ids.from_user_id, profile: { username: long('@') } }
  const metadata = { phone_number_id: long('id'), display_phone_number: '7'.repeat(3000) }
  const newId = { user_id: { current: long('new'), previous: long('old') }, wa_id: long('wa') }
  const escaped = '\u0001'.repeat(500)
  const odd = [
    change({ messages: [aText({ id: long('wamid') })] }),
    change({ messages: [aText(ids)], contacts: [profile] }),
    change({ messages: [aText({ type: long('type') })] }),
    change({ messages: [aText({})], metadata }),
    change({ message_echoes: [aText({ from: long('f'), to: long('t') })] }, 'message_echoes'),
    change({ statuses: [aStatus(long('wamid'), 'sent')] }),
    change({ statuses: [aStatus('a', long('status'))] }),
    change({ statuses: [aStatus(escaped, escaped)] }),
    change({ statuses: [aStatus('b', 'sent', { recipient_id: long('recipient') })] }),
    change({ calls: [{ id: long('call'), event: long('event'), from: long('from') }] }, 'calls'),
    change({ user_id_update: [newId] }, 'user_id_update'),
    change({ anything: 1 }, long('field')),
    change({ event: long('event') }, 'account_update'),
    change({ errors: [{ code: long('code') }] }),
  ]
  for (const [i, one] of odd.entries()) {
    const value = batch(one, change({ messages: [aText({ id: `neighbour-${i}` })] }))
    const { statusCode } = await fresh.app.inject(signedBatch(value))
    assert.equal(statusCode, 200, JSON.stringify(one).slice(0, 200))
    assert.equal((await fresh.get(`/messages/neighbour-${i}`)).statusCode, 200)
  }
  const { data } = (await fresh.get('/events?limit=100')).json<{ data: Json[] }>()
  assert.equal(data.length, 2 * odd.length)
})

test('a batch of a thousand items and three megabytes is one request', async (t) => {
  const fresh = await openServer(t, { environment })
  const body = 'ä'.repeat(450)
  const items = Array.from({ length: 1000 }, (_, i) => aText({ id: `m${i}`, text: { body } }))
  const signed = signedBatch(batch(change({ messages: items })))
  assert.ok(signed.payload.length > 2.7e6 && signed.payload.length < 4 * 1024 * 1024)
  for (const result of ['created', 'duplicate']) {
    assert.equal((await fresh.app.inject(signed)).statusCode, 200)
    assert.equal(fresh.log.where({ path: '/webhook/cloud-api' }).at(-1)?.['result'], result)
  }
  assert.equal((await fresh.get('/stats')).json<Json>()['total_messages'], 1000)
})

test('two copies at the same instant are stored once', async (t) => {
  const fresh = await openServer(t, { environment })
  const signed = signedBatch(
    batch(change({ messages: [aText()], statuses: [aStatus('x', 'sent')] })),
  )
  const answers = await Promise.all(Array.from({ length: 20 }, () => fresh.app.inject(signed)))
  assert.ok(answers.every(({ statusCode }) => statusCode === 200))
  const stats = (await fresh.get('/stats')).json<{ events_by_kind: object }>()
  assert.deepEqual(stats.events_by_kind, { message: 1, status: 1 })
})

test('both kinds of messages are listed together, and each filter finds its own', async (t) => {
  const fresh = await openServer(t, { environment })
  await fresh.post(flatBody({ message_id: 'flat' }))
  const image = aText({ id: 'image', type: 'image', text: undefined, image: { id: '7' } })
  const echo = aText({ id: 'echo', from: '14155550101', to: '14155550100' })
  const contacts = [
    { wa_id: '14155550100', user_id: 'US.7', profile: { name: 'Anna', username: 'anna' } },
  ]
  await fresh.app.inject(
    signedBatch(
      batch(
        change({ messages: [image, aText({ id: 'text' })], contacts }),
        change({ message_echoes: [echo] }, 'smb_message_echoes'),
        change({ statuses: [aStatus('echo', 'delivered')] }),
      ),
    ),
  )
  const ids = async (query: string) => {
    const page = (await fresh.get(`/messages?${query}`)).json<{ data: { message_id: string }[] }>()
    return page.data.map(({ message_id }) => message_id).sort()
  }
  assert.deepEqual(await ids(''), ['echo', 'flat', 'image', 'text'])
  assert.deepEqual(await ids('type=image'), ['image'])
  assert.deepEqual(await ids('direction=outbound'), ['echo'])
  assert.deepEqual(await ids('direction=inbound'), ['flat', 'image', 'text'])
  assert.deepEqual(await ids('status=delivered'), ['echo'])
  assert.deepEqual(await ids('phone_number_id=106540352242922'), ['echo', 'image', 'text'])
  for (const contact of [
    '%2B14155550100',
    ' 14155550100',
    '14155550100',
    'US.7',
    'anna',
    '@anna',
  ]) {
    assert.deepEqual(await ids(`contact=${contact}`), ['echo', 'image', 'text'], contact)
  }
  const conversation = (await fresh.get('/conversations/US.7/messages?order=desc')).json<Json>()
  assert.equal(conversation['total'], 3)
  const byNumber = (await fresh.get('/conversations/14155550100/messages')).json<Json>()
  assert.equal(byNumber['total'], 3)
  const list = (await fresh.get('/conversations')).json<{ data: Json[] }>()
  assert.deepEqual(
    list.data.map(({ messages }) => messages),
    [3, 1],
  )
  const other = await fresh.get('/conversations/US.7/messages?contact=%2B19995550100')
  assert.equal(other.json<Json>()['total'], 3, 'the path says who')
  const nobody = await fresh.get('/conversations//messages')
  assert.equal(nobody.statusCode, 422)
  assert.match(nobody.body, /"params","contact".*at least 1 character/)
  assert.equal((await fresh.get('/messages?direction=sideways')).statusCode, 422)
  assert.equal((await fresh.get('/conversations?cursor=x')).statusCode, 422)
})

test('a message is shown with what happened to it', async () => {
  const id = 'wamid.DETAIL'
  const reaction = { message_id: id, emoji: '🎉' }
  await app.inject(
    signedBatch(
      batch(
        change({
          messages: [
            aText({ id, context: { id: 'wamid.BEFORE' } }),
            aText({ id: 'wamid.R', type: 'reaction', text: undefined, reaction }),
          ],
          statuses: [aStatus(id, 'read', { pricing: { category: 'service' } })],
        }),
      ),
    ),
  )
  assert.partialDeepStrictEqual(await read(`/messages/${id}`), {
    message_id: id,
    status: 'read',
    provider: 'cloud-api',
    business_phone_number_id: '106540352242922',
    stale: true,
    context: { message_id: 'wamid.BEFORE' },
    statuses: [{ status: 'read', participant: '', data: { pricing: { category: 'service' } } }],
    reactions: [{ message_id: 'wamid.R', from: '+14155550100', emoji: '🎉' }],
  })
})

test('a file keeps what it came with, an edit shows its own, and a revocation takes the caption', async () => {
  const file = (id: string, caption: string) => ({
    ...{ id, caption, mime_type: 'image/jpeg', sha256: `${id}=` },
    url: `https://example.com/${id}`,
  })
  const image = file('old', 'Before')
  const original = aText({ id: 'file', type: 'image', text: undefined, image })
  const edited = { type: 'image', image: { ...file('new', 'After'), id: '9' } }
  const edit = { original_message_id: 'file', message: edited }
  const revoke = { original_message_id: 'file' }
  const post = async (...messages: unknown[]) => {
    const answer = await app.inject(signedBatch(batch(change({ messages }))))
    assert.equal(answer.statusCode, 200)
  }
  await post(original, aText({ id: 'file-edit', type: 'edit', text: undefined, edit }))
  const editWithText = {
    original_message_id: 'file',
    message: { type: 'text', text: { body: '' } },
  }
  await post(aText({ id: 'text-edit', type: 'edit', text: undefined, edit: editWithText }))
  const shown = await read('/messages/file')
  assert.partialDeepStrictEqual(shown['media'], { id: 'old', caption: 'Before' })
  const [first, second] = shown['edits'] as { media: Json | null }[]
  const { url_expires_at: urlExpiry, id_expires_at: idExpiry, ...media } = first?.media ?? {}
  assert.deepEqual(media, {
    ...{ kind: 'image', id: '9', mime_type: 'image/jpeg', sha256: 'new=', caption: 'After' },
    ...{ file_name: null, voice: false, animated: false, url: 'https://example.com/new' },
  })
  // As those of the original: from the arrival of the edit on.
  const lifetime = Date.parse(String(idExpiry)) - Date.parse(String(urlExpiry))
  assert.equal(lifetime, 7 * 24 * 3600e3 - 5 * 60e3)
  assert.ok(Date.parse(String(idExpiry)) > Date.parse(String(shown['received_at'])))
  assert.equal(second?.media, null)

  await post(aText({ id: 'file-gone', type: 'revoke', text: undefined, revoke }))
  const gone = await read('/messages/file')
  assert.partialDeepStrictEqual(gone, { text: null, media: { id: 'old', caption: null } })
  const { data } = await read('/messages?type=image')
  assert.partialDeepStrictEqual(data, [{ media: { id: 'old', caption: null } }])
})

test('of the reactions of a person the last is shown, whatever address it names', async () => {
  const id = 'wamid.REACTED'
  const react = (name: string, emoji: string, who: Json) =>
    aText({
      ...{ id: `wamid.REACTED.${name}`, type: 'reaction', text: undefined, ...who },
      reaction: { message_id: id, emoji },
    })
  const both = { from: '14155550177', from_user_id: 'US.177' }
  const reacted = [
    react('Z', '👍', both),
    react('A', '', { from: undefined, from_user_id: 'US.177' }),
    react('B', '🎉', { from: '14155550178' }),
  ]
  const echo = react('E', '🙏', { from: '14155550101', to: '14155550178' })
  await app.inject(
    signedBatch(
      batch(
        change({ messages: [aText({ id, from: '14155550178' }), ...reacted] }),
        change({ message_echoes: [echo] }, 'smb_message_echoes'),
      ),
    ),
  )
  const { reactions } = await read(`/messages/${id}`)
  assert.deepEqual(
    (reactions as Json[]).map(({ message_id, emoji }) => [message_id, emoji]),
    [
      ['wamid.REACTED.A', null],
      ['wamid.REACTED.B', '🎉'],
      ['wamid.REACTED.E', '🙏'],
    ],
  )
})

test('a reaction that was revoked is no longer shown, in whatever order the two came', async () => {
  const react = (id: string, to: string, timestamp: string, from = '14155550100') =>
    aText({
      ...{ id, from, timestamp, type: 'reaction', text: undefined },
      reaction: { message_id: to, emoji: '👍' },
    })
  const orders = [
    ['REVOKED-LAST', (reaction: Json, revocation: Json) => [reaction, revocation]],
    ['REVOKED-FIRST', (reaction: Json, revocation: Json) => [revocation, reaction]],
  ] as const
  for (const [id, inOrder] of orders) {
    const messages = [
      aText({ id }),
      // Each reaction replaces the one before, which does not come back.
      react(`${id}-1`, id, '1736935201'),
      react(`${id}-other`, id, '1736935201', '14155550179'),
      ...inOrder(react(`${id}-2`, id, '1736935202'), aRevocation(`${id}-2`)),
    ]
    for (const item of messages) {
      await app.inject(signedBatch(batch(change({ messages: [item] }))))
    }
    const { reactions } = await read(`/messages/${id}`)
    assert.deepEqual(
      (reactions as Json[]).map(({ message_id, emoji }) => [message_id, emoji]),
      [
        [`${id}-other`, '👍'],
        [`${id}-2`, null],
      ],
    )
    const gone = {
      type: 'reaction',
      text: null,
      content: { reaction: { message_id: id, emoji: null } },
    }
    assert.partialDeepStrictEqual(await read(`/messages/${id}-2`), { ...gone, revoked: true })
    const entries = (await read('/events?kind=message&limit=1000'))['data'] as Json[]
    const shown = entries.filter((entry) => entry['key'] === `${id}-2`)
    assert.partialDeepStrictEqual(shown, [{ text: null, message: gone }])
  }
})

test('a message, its echo and its copy in standby are three entries with keys of their own', async () => {
  const item = aText({ id: 'wamid.THRICE' })
  const body = batch(
    change({ messages: [item] }),
    change({ message_echoes: [item] }, 'smb_message_echoes'),
    change({ standby: { messages: [item] } }, 'standby'),
  )
  await app.inject(signedBatch(body))
  const { data } = await read('/events?limit=1000')
  const entries = (data as Json[]).filter((entry) => entry['message_id'] === 'wamid.THRICE')
  assert.deepEqual(
    entries.map(({ kind, key }) => [kind, key]),
    [
      ['message', 'wamid.THRICE'],
      ['message', '["wamid.THRICE","echo"]'],
      ['message', '["wamid.THRICE","standby"]'],
    ],
  )
})

test('the raw body of a request is given back byte for byte', async () => {
  const value = batch(change({ messages: [aText({ id: 'wamid.RAW', text: { body: 'ä/🎉' } })] }))
  const signed = signedBatch(value, { headers: { 'user-agent': 'sender/1' } })
  await app.inject(signed)
  const { data } = await read('/events?limit=1000')
  const event = (data as Json[]).find(({ key }) => key === 'wamid.RAW')
  const path = `/intakes/${String(event?.['intake_id'])}`
  assert.deepEqual((await server.get(`${path}/raw`)).rawPayload, signed.payload)
  assert.partialDeepStrictEqual(await read(path), {
    provider: 'cloud-api',
    bytes: signed.payload.length,
    headers: { 'user-agent': 'sender/1' },
  })
  assert.equal((await server.get('/intakes/999999')).statusCode, 404)
  assert.equal((await server.get('/intakes/999999/raw')).statusCode, 404)
  assert.equal((await server.get('/intakes/x')).statusCode, 422)
})

test('events and their lag are counted by kind', async (t) => {
  const fresh = await openServer(t, { environment })
  const value = batch(
    change({ messages: [aText()], x: CANARY.text }),
    change({ y: 1 }, 'new_field'),
  )
  await fresh.app.inject(signedBatch(value))
  await fresh.app.inject(signedBatch(value))
  const { body } = await fresh.get('/metrics')
  for (const line of [
    'webhook_events_total{kind="message",result="created"} 1',
    'webhook_events_total{kind="message",result="duplicate"} 1',
    'webhook_events_total{kind="unknown",result="created"} 1',
    'webhook_event_lag_seconds_count 2',
  ]) {
    assert.ok(body.includes(line), line)
  }
})

test('refused requests are kept with their likely cause, and are no messages', async (t) => {
  const fresh = await openServer(t, { environment })
  const value = batch(change({ messages: [aText({ text: { body: 'ä/🎉' } })] }))
  const payload = metaJson(value)
  const sent = (body: string, headers: Record<string, string>) =>
    fresh.app.inject({ method: 'POST', url: '/webhook/cloud-api', payload: body, headers })
  const right = { 'x-hub-signature-256': `sha256=${signature(payload, APP_SECRET)}` }
  const tried: readonly [string, string, Record<string, string>][] = [
    ['header_missing', payload, {}],
    ['header_malformed', payload, { 'x-hub-signature-256': 'sha256=abc' }],
    ['other_provider', payload, { 'x-twilio-signature': 'abc' }],
    ['other_provider', payload, { 'x-hub-signature-256': `sha256=${signature(payload)}` }],
    ['wrong_secret', payload, { 'x-hub-signature-256': `sha256=${signature(payload, 'x')}` }],
    ['unescaped_body', JSON.stringify(value), right],
    ['reserialised_body', JSON.stringify(value, null, 2), right],
    ['changed_line_end', `${payload}\n`, right],
    ['body_not_kept', `${payload}${' '.repeat(100_000)}`, right],
  ]
  for (const [, body, headers] of tried) {
    assert.equal((await sent(body, headers)).statusCode, 401)
  }
  const { data } = (await fresh.get('/rejections')).json<{ data: Json[] }>()
  assert.deepEqual(
    data.map(({ cause }) => cause),
    tried.map(([cause]) => cause).toReversed(),
  )
  assert.equal(data.at(-1)?.['body'], payload)
  assert.equal((await fresh.get('/stats')).json<Json>()['total_messages'], 0)
  const providers = (await fresh.get('/providers')).json<{ data: Json[] }>()
  assert.ok(providers.data.some(({ last_rejected_at }) => last_rejected_at !== null))
})

test('refused bodies that are made to be hard to diagnose hold nobody up', {
  timeout: 30_000,
}, async (t) => {
  const fresh = await openServer(t, { environment })
  const depth = 3500
  for (const body of [
    `${'\n'.repeat(65_535)}x`,
    `${'['.repeat(depth)}${'1,'.repeat((65_536 - 2 * depth) / 2 - 1)}1${']'.repeat(depth)}`,
  ]) {
    for (let i = 0; i < 50; i++) {
      const headers = { 'x-signature': 'a'.repeat(64) }
      await fresh.app.inject({ method: 'POST', url: '/webhook', payload: body, headers })
    }
    const { data } = (await fresh.get('/rejections')).json<{ data: Json[] }>()
    assert.equal(data[0]?.['cause'], 'wrong_secret')
  }
})

test('a flood of refused requests is kept within its bounds', async (t) => {
  const fresh = await openServer(t, {
    environment: { ...environment, QUARANTINE_MAX_REQUESTS: '5', QUARANTINE_MAX_BYTES: '100000' },
  })
  const flood = (size: number) =>
    fresh.app.inject({ method: 'POST', url: '/webhook', payload: 'x'.repeat(size) })
  const kept = async () => (await fresh.get('/rejections')).json<{ data: Json[] }>().data
  for (let i = 0; i < 30; i++) await flood(10 + i)
  assert.deepEqual(
    (await kept()).map(({ bytes }) => bytes),
    [39, 38, 37, 36, 35],
  )
  for (let i = 0; i < 5; i++) await flood(300_000)
  const bodies = (await kept()).map(({ body }) => String(body).length)
  assert.deepEqual(bodies, [64 * 1024])
  const off = await openServer(t, { environment: { QUARANTINE_MAX_REQUESTS: '0' } })
  await off.app.inject({ method: 'POST', url: '/webhook', payload: 'x' })
  assert.deepEqual((await off.get('/rejections')).json(), { data: [] })
})
