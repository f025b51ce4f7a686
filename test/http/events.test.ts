import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { AppError } from '../../src/app/errors.ts'
import type { SequenceEntry } from '../../src/app/model/event.ts'
import { askUntil } from '../support/ask-until.ts'
import {
  APP_SECRET,
  aStatus,
  aText,
  BUSINESS,
  batch,
  change,
  signedBatch,
} from '../support/cloud-api.ts'
import { API_KEY, openServer, type TestServer } from '../support/http-server.ts'
import { CANARY, flatBody } from '../support/signed.ts'
import { until } from '../support/until.ts'

type Page = { data: { seq: number; key: string; kind: string }[]; next: number }
const authorization = `Bearer ${API_KEY}`

/** A reader of the stream, with what it was sent so far. */
async function follow(port: number, query = '', headers: Record<string, string> = {}) {
  const controller = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}/events/stream${query}`, {
    headers: { authorization, ...headers },
    signal: controller.signal,
  })
  const reader = { text: '', ended: false, response, close: () => controller.abort() }
  const read = async () => {
    for await (const chunk of response.body ?? []) {
      reader.text += Buffer.from(chunk as Uint8Array).toString()
    }
  }
  void read()
    .catch(() => {})
    .finally(() => {
      reader.ended = true
    })
  return reader
}

/** The message ids in what a reader was sent, in its order; a line that is still arriving is left out. */
function idsIn({ text }: { text: string }): string[] {
  return [...text.matchAll(/^data: (.*)\n/gm)].map(([, data = '']) => {
    return (JSON.parse(data) as { key: string }).key
  })
}

function lastIdIn({ text }: { text: string }): string {
  return [...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? ''
}

const server = await openServer({ after })
const post = async (...ids: string[]) => {
  for (const message_id of ids) await server.post(flatBody({ message_id }))
}

/** An entry that is no text in JSON. */
function unsendable(entry: SequenceEntry): SequenceEntry {
  if (entry.kind === 'event') return entry
  return { ...entry, message: { ...entry.message, content: { raw: 1n } } }
}

test('the sequence is read part by part, from any place on', async () => {
  await post('a', 'b', 'c')
  const page = async (query: string) => (await server.get(`/events${query}`)).json<Page>()
  const first = await page('?limit=2')
  assert.deepEqual(
    first.data.map(({ key }) => key),
    ['a', 'b'],
  )
  const second = await page(`?limit=2&after=${first.next}`)
  assert.deepEqual(
    second.data.map(({ key }) => key),
    ['c'],
  )
  assert.deepEqual(await page(`?after=${second.next}`), { data: [], next: second.next })
  assert.deepEqual((await page('?kind=status,edit')).data, [])
  assert.equal((await page('?kind=message')).data.length, 3)
  assert.equal((await page(`?contact=${encodeURIComponent(CANARY.from)}`)).data.length, 3)
  assert.equal((await page(`?contact=${CANARY.from.replace('+', '')}`)).data.length, 3)
  for (const wrong of ['?kind=nonsense', '?after=-1', '?limit=0', '?limit=1001', '?wait=31']) {
    assert.equal((await server.get(`/events${wrong}`)).statusCode, 422, wrong)
  }
})

test('what is large is read in short pages, and a stream of it goes on as it comes', async (t) => {
  const fresh = await openServer(t, { environment: { META_APP_SECRET: APP_SECRET } })
  const port = await fresh.listen()
  const live = await follow(port)
  await until('the place was told', () => lastIdIn(live) !== '')
  // Each of these characters takes six in JSON, of which no two fit on a page.
  const send = (i: number) => signedBatch(Buffer.alloc(1024 * 1024 + i, 1))
  const sent = await Promise.all([1, 2, 3].map((i) => fresh.app.inject(send(i))))
  for (const { statusCode } of sent) assert.equal(statusCode, 200)
  let page: Page = { data: [], next: 0 }
  const keys: string[] = []
  do {
    page = (await fresh.get(`/events?limit=1000&after=${page.next}`)).json<Page>()
    assert.ok(page.data.length <= 1)
    keys.push(...page.data.map(({ key }) => key))
  } while (page.data.length > 0)
  assert.equal(new Set(keys).size, 3)
  const all = await follow(port, '?after=0')
  for (const reader of [live, all]) {
    await until('it has all', () => idsIn(reader).length === 3)
    assert.deepEqual(idsIn(reader), keys)
    reader.close()
  }
})

test('more long polls than may read at once are all answered by one commit', async () => {
  const { next } = (await server.get('/events?limit=1000')).json<Page>()
  // That the database could not be reached just now is no part of this: such a poll is asked again.
  const unreached = new AppError('reads_unavailable').detail
  const poll = () =>
    askUntil(
      () => server.get(`/events?after=${next}&wait=20`),
      (answer) => answer.json<{ detail?: unknown }>().detail !== unreached,
    )
  const waiting = Array.from({ length: 500 }, poll)
  await post('awaited by many')
  const answers = (await Promise.all(waiting)).map((answer) => {
    return [answer.statusCode, answer.json<Page>().data?.map(({ key }) => key)]
  })
  for (const answer of answers) assert.deepEqual(answer, [200, ['awaited by many']])
})

test('a long poll is answered by what is committed while it waits', async () => {
  const { next } = (await server.get('/events?limit=1000')).json<Page>()
  const waiting = server.get(`/events?after=${next}&wait=20`)
  await post('awaited')
  assert.deepEqual(
    (await waiting).json<Page>().data.map(({ key }) => key),
    ['awaited'],
  )
})

test('a long poll that nothing answers ends when its time is over', async () => {
  const { next } = (await server.get('/events?limit=1000')).json<Page>()
  assert.deepEqual((await server.get(`/events?after=${next}&wait=1`)).json(), { data: [], next })
})

test('the stream begins with what comes, or behind a place, and goes on live', async (t) => {
  const fresh = await openServer(t)
  const port = await fresh.listen()
  await fresh.post(flatBody({ message_id: 'before' }))
  const [now, all] = [await follow(port), await follow(port, '?after=0')]
  assert.match(String(now.response.headers.get('content-type')), /^text\/event-stream/)
  await until('the past was read', () => idsIn(all).length === 1)
  await until('the place was told', () => lastIdIn(now) !== '')
  for (const message_id of ['x', 'y']) await fresh.post(flatBody({ message_id }))
  await until('both are up to date', () => idsIn(now).length === 2 && idsIn(all).length === 3)
  assert.deepEqual(
    [idsIn(now), idsIn(all)],
    [
      ['x', 'y'],
      ['before', 'x', 'y'],
    ],
  )
  now.close()
  all.close()
})

test('a reader goes on behind the id it read last, without a gap or a repetition', async (t) => {
  const fresh = await openServer(t)
  const port = await fresh.listen()
  const expected = Array.from({ length: 60 }, (_, i) => `m${i}`)
  const read: string[] = []
  let last = '0'
  const sending = (async () => {
    for (const message_id of expected) await fresh.post(flatBody({ message_id }))
  })()
  while (read.length < expected.length) {
    const reader = await follow(port, '', { 'last-event-id': last })
    await until('something was read', () => idsIn(reader).length > 0)
    // Whole events only: what a cut connection leaves of one is not an event.
    const whole = { text: reader.text.slice(0, reader.text.lastIndexOf('\n\n') + 2) }
    read.push(...idsIn(whole))
    last = lastIdIn(whole)
    reader.close()
  }
  await sending
  assert.deepEqual(read, expected)
})

test('a filter lets its own through, and its reader still learns how far it has come', async (t) => {
  const fresh = await openServer(t)
  const port = await fresh.listen()
  const anna = await follow(port, '?after=0&contact=%2B19995550199')
  await fresh.post(flatBody({ message_id: 'hers', from: '+19995550199' }))
  await fresh.post(flatBody({ message_id: 'another' }))
  await until('hers was read', () => idsIn(anna).length === 1)
  assert.deepEqual(idsIn(anna), ['hers'])
  anna.close()
  const wrong = await fresh.get('/events/stream?kind=nonsense')
  assert.equal(wrong.statusCode, 422)
  const odd = await fresh.get('/events/stream', { 'last-event-id': 'x' })
  assert.equal(odd.statusCode, 422)
})

test('a filter lets the same through live as of the past, beside readers with another one', async (t) => {
  const fresh = await openServer(t, { environment: { META_APP_SECRET: APP_SECRET } })
  const port = await fresh.listen()
  const another = { metadata: { ...BUSINESS, phone_number_id: '2' } }
  const anna = {
    messages: [aText({ id: 'of-anna', from: '19995550100', from_user_id: 'US.1' })],
    contacts: [{ wa_id: '19995550100', user_id: 'US.1', profile: { username: 'anna' } }],
  }
  const sent = [
    change(anna),
    change({ messages: [aText({ id: 'of-ben', from: '19995550101' })], ...another }),
    change({ statuses: [aStatus('to-anna', 'sent', { recipient_id: '19995550100' })] }),
    change({ statuses: [aStatus('to-ben', 'read', { recipient_id: '19995550101' })], ...another }),
    change({ event: 'DISABLED_UPDATE' }, 'account_update'),
  ]
  const queries = [
    ['', 5],
    ['kind=message', 2],
    ['kind=status', 2],
    ['kind=message,status', 4],
    ['kind=status,message', 4],
    ['phone_number_id=2', 2],
    [`phone_number_id=${BUSINESS.phone_number_id}`, 3],
    ['contact=%2B19995550100', 2],
    ['contact=%2B19995550101', 2],
    ['contact=US.1', 2],
    ['contact=@anna', 2],
    ['contact=anna', 2],
    ['contact=nobody', 0],
    ['kind=status&contact=anna', 1],
    ['kind=message&phone_number_id=2', 1],
    ['contact=%2B19995550101&phone_number_id=3', 0],
  ] as const
  const readers = await Promise.all(queries.map(([query]) => follow(port, `?${query}`)))
  await until('all follow', () => readers.every((reader) => lastIdIn(reader) !== ''))
  for (const one of sent) await fresh.app.inject(signedBatch(batch(one)))
  await until('all was handed on', () => readers.some((reader) => idsIn(reader).length === 5))
  const past: string[][] = []
  for (const [query] of queries) {
    const { data } = (await fresh.get(`/events?${query}`)).json<Page>()
    past.push(data.map(({ key }) => key))
  }
  await fresh.app.close()
  await until('all streams have ended', () => readers.every(({ ended }) => ended))
  for (const [i, [query, count]] of queries.entries()) {
    assert.equal(past[i]?.length, count, query)
    assert.deepEqual(idsIn(readers[i] ?? { text: '' }), past[i], query)
  }
})

test('who is followed by an address of before is followed live too, as in every list', async (t) => {
  const fresh = await openServer(t, { environment: { META_APP_SECRET: APP_SECRET } })
  const port = await fresh.listen()
  const send = async (id: string, from: string, timestamp: string) => {
    const message = aText({ id, from, timestamp, from_user_id: 'US.1' })
    await fresh.app.inject(signedBatch(batch(change({ messages: [message] }))))
  }
  await send('under-the-first', '19995550100', '1736935200')
  await send('under-the-second', '19995550101', '1736935201')
  const reader = await follow(port, '?after=0&contact=%2B19995550100')
  await until('the past was read', () => idsIn(reader).length === 2)
  await send('live', '19995550101', '1736935202')
  const { next } = (await fresh.get('/events')).json<Page>()
  await until('it has come that far', () => Number(lastIdIn(reader)) === next)
  assert.deepEqual(idsIn(reader), ['under-the-first', 'under-the-second', 'live'])
  reader.close()
})

test('a message is followed with what happens to it, in the list and live alike', async (t) => {
  const fresh = await openServer(t, { environment: { META_APP_SECRET: APP_SECRET } })
  const port = await fresh.listen()
  const send = async (value: object) => {
    await fresh.app.inject(signedBatch(batch(change(value as Record<string, unknown>))))
  }
  const happening = async (round: string) => {
    const reaction = { message_id: 'one', emoji: '👍' }
    const fields = { type: 'reaction', text: undefined, reaction }
    const others = [aText({ id: `other-${round}` }), aText({ id: `reaction-${round}`, ...fields })]
    await send({ messages: others })
    const statuses = ['one', 'other'].map((id) => aStatus(id, round))
    await send({ statuses })
  }
  await send({ messages: [aText({ id: 'one' })] })
  await happening('delivered')
  const reader = await follow(port, '?after=0&message_id=one')
  await until('the past was read', () => idsIn(reader).length === 3)
  await happening('read')
  const { next } = (await fresh.get('/events')).json<Page>()
  await until('it has come that far', () => Number(lastIdIn(reader)) === next)
  const keys = ['one', 'reaction-delivered', '["one","delivered",""]', 'reaction-read']
  assert.deepEqual(idsIn(reader), [...keys, '["one","read",""]'])
  const { data } = (await fresh.get('/events?message_id=one')).json<Page>()
  assert.deepEqual(
    data.map(({ key }) => key),
    idsIn(reader),
  )
  reader.close()
})

test('a reader that an event cannot be sent to is cut off before it, and gets it when it comes again', async (t) => {
  let isSendable = false
  const fresh = await openServer(t, {
    store: (real) => ({
      eventsAfter: async (request) => {
        const page = await real.eventsAfter(request)
        return isSendable ? page : { ...page, entries: page.entries.map(unsendable) }
      },
    }),
  })
  const port = await fresh.listen()
  const readers = [await follow(port), await follow(port, '?kind=message'), await follow(port)]
  const told = await Promise.all(
    readers.map(async (reader) => {
      await until('the place was told', () => lastIdIn(reader) !== '')
      return lastIdIn(reader)
    }),
  )
  await fresh.post(flatBody({ message_id: 'awaited' }))
  await until('all are cut off', () => readers.every(({ ended }) => ended))
  assert.deepEqual(readers.map(lastIdIn), told)
  isSendable = true
  const [last = ''] = told
  const again = await follow(port, '', { 'last-event-id': last })
  await until('it was sent', () => idsIn(again).length > 0)
  assert.deepEqual(idsIn(again), ['awaited'])
  again.close()
})

test('a stream that is asked for while the service closes does not hold it up', async (t) => {
  const read = Promise.withResolvers<void>()
  const reading = Promise.withResolvers<void>()
  const fresh = await openServer(t, {
    store: (real) => ({
      lastSeq: async () => {
        reading.resolve()
        await read.promise
        return real.lastSeq()
      },
    }),
  })
  const port = await fresh.listen()
  const reader = follow(port)
  await reading.promise
  const closed = fresh.app.close()
  await until('it takes nothing any more', async () => !fresh.app.server.listening)
  read.resolve()
  assert.equal((await reader).response.status, 503)
  await closed
})

/** Connections that a server has open. */
function openTo({ server }: TestServer['app']): Promise<number> {
  return new Promise<number>((resolve) => {
    server.getConnections((_error, count) => resolve(count))
  })
}

/** A connection on which a stream is asked for. */
function askFor(port: number, path: string): Socket {
  const lines = [`GET ${path} HTTP/1.1`, 'Host: localhost', `Authorization: ${authorization}`]
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).write(`${lines.join('\r\n')}\r\n\r\n`)
  return socket
}

test('nobody is followed for who asks for a stream and is gone before it begins', async (t) => {
  const known = Promise.withResolvers<void>()
  const counted = { askedWhere: 0, askedWho: 0 }
  const fresh = await openServer(t, {
    store: (real) => ({
      lastSeq: async () => {
        counted.askedWhere++
        await known.promise
        return real.lastSeq()
      },
      // Asked of what is committed while anybody follows a person, before anybody is handed it.
      addressesOf: (keys) => {
        counted.askedWho++
        return real.addressesOf(keys)
      },
    }),
  })
  const port = await fresh.listen()
  const sockets = Array.from({ length: 100 }, () => askFor(port, '/events/stream?contact=nobody'))
  await until('all have asked', () => counted.askedWhere === sockets.length)
  for (const socket of sockets) socket.resetAndDestroy()
  await until('all are gone', async () => (await openTo(fresh.app)) === 0)
  known.resolve()
  const reader = await follow(port)
  await until('the place was told', () => lastIdIn(reader) !== '')
  await fresh.post(flatBody({ message_id: 'later' }))
  await until('it was read', () => idsIn(reader).length === 1)
  assert.equal(counted.askedWho, 0)
  reader.close()
})

test('streams need a key like any other reading', async (t) => {
  const fresh = await openServer(t)
  const answer = await fresh.app.inject('/events/stream')
  assert.equal(answer.statusCode, 401)
})

test('streams and long polls end when the service does', async (t) => {
  const fresh = await openServer(t)
  const port = await fresh.listen()
  const readers = await Promise.all([follow(port), follow(port), follow(port)])
  const asked = once(fresh.app.server, 'request')
  const polling = fetch(`http://127.0.0.1:${port}/events?wait=30`, { headers: { authorization } })
  await asked
  await until('all are open', () => readers.every(({ text }) => text !== ''))
  await fresh.app.close()
  await until('all have ended', () => readers.every(({ ended }) => ended))
  assert.equal((await polling).status, 200)
})

test('a reader that reads nothing is dropped, and holds up nobody', async (t) => {
  const fresh = await openServer(t)
  const port = await fresh.listen()
  const socket = askFor(port, '/events/stream').pause()
  t.after(async () => void socket.destroy())
  let closed = false
  socket.on('close', () => {
    closed = true
  })
  const attentive = await follow(port)
  await until('it is open', () => attentive.text !== '')
  // More than the buffers of two sockets hold.
  const text = 'x'.repeat(4000)
  const ids = Array.from({ length: 1500 }, (_, i) => `m${i}`)
  for (let i = 0; i < ids.length; i += 50) {
    await Promise.all(
      ids.slice(i, i + 50).map((message_id) => fresh.post(flatBody({ message_id, text }))),
    )
  }
  await until('the other has all', () => idsIn(attentive).length === ids.length)
  assert.deepEqual(idsIn(attentive).toSorted(), ids.toSorted())
  attentive.close()
  // Nothing is sent to it any more; once it reads what was, it meets the end.
  await until('the reader is dropped', async () => (await openTo(fresh.app)) === 0)
  socket.resume()
  await until('it notices', () => closed)
})

test('a position that this sequence never had is 409, and nothing is passed over in silence', async (t) => {
  const own = await openServer(t)
  await own.post(flatBody({ message_id: 'only' }))
  const port = await own.listen()
  const { next } = (await own.get('/events')).json<Page>()
  const beyond = next + 1
  const refused = await own.get(`/events?after=${beyond}&wait=5`)
  assert.equal(refused.statusCode, 409)
  assert.match(refused.json<{ detail: string }>().detail, /Begin again/)
  const byQuery = await follow(port, `?after=${beyond}`)
  const byHeader = await follow(port, '', { 'last-event-id': String(beyond) })
  assert.deepEqual([byQuery.response.status, byHeader.response.status], [409, 409])
  assert.equal((await own.get(`/events?after=${next}`)).statusCode, 200)
})
