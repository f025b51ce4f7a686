import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openServer } from '../support/http-server.ts'
import { CANARY, flatBody } from '../support/signed.ts'

type List = { data: { message_id: string }[]; total: number }

const ANNA = '+4915100000001'
const BEN = '+4915100000002'
const server = await openServer({ after })
const seeds = [
  ['a', ANNA, BEN, '2025-01-15T10:00:00Z', 'Café au lait'],
  ['b', ANNA, CANARY.to, '2025-01-15T10:00:00.000Z', '100 % sure_thing "quoted" \'single\' * AND'],
  ['c', BEN, ANNA, '2025-01-15T10:00:00.5Z', 'CAFÉ OLÉ'],
  ['d', BEN, CANARY.to, '2025-01-15T12:00:00Z', 'İstanbul Straße 👩🏽‍💻'],
  ['e', ANNA, BEN, '2025-01-16T00:00:00Z', null],
  ['f', ANNA, BEN, '2025-01-17T00:00:00Z', 'back\\slash [bracket] a\u0000b'],
] as const
for (const [message_id, from, to, ts, text] of seeds) {
  const answer = await server.post(flatBody({ message_id, from, to, ts, text }))
  assert.equal(answer.statusCode, 200)
}

async function idsOf(query: string): Promise<string> {
  const answer = await server.get(`/messages${query}`)
  assert.equal(answer.statusCode, 200, answer.body)
  const { data, total } = answer.json<List>()
  assert.equal(total, data.length)
  return data.map(({ message_id }) => message_id).join('')
}

/** `q` percent-encoded. */
const search = (q: string) => idsOf(`?q=${encodeURIComponent(q)}`)

test('without parameters all messages come in the order of their instant, then of their id', async () => {
  assert.equal(await idsOf(''), 'abcdef')
  assert.equal(await idsOf('?order=asc'), 'abcdef')
  assert.equal(await idsOf('?order=desc'), 'fedcba')
})

test('a message is shown with these fields, its ts as it was sent', async () => {
  const answer = await server.get('/messages?q=sure_thing')
  assert.partialDeepStrictEqual(answer.json<object>(), {
    data: [
      {
        message_id: 'b',
        from: ANNA,
        to: CANARY.to,
        ts: '2025-01-15T10:00:00.000Z',
        text: '100 % sure_thing "quoted" \'single\' * AND',
      },
    ],
    total: 1,
    limit: 50,
    offset: 0,
    next_cursor: null,
  })
})

test('from and to are exact; a bare plus sign, which arrives as a space, still means plus', async () => {
  assert.equal(await idsOf(`?from=${encodeURIComponent(ANNA)}`), 'abef')
  assert.equal(await idsOf(`?from=${ANNA}`), 'abef')
  assert.equal(await idsOf(`?from=%20${ANNA.slice(1)}`), 'abef')
  assert.equal(await idsOf(`?to=${ANNA}`), 'c')
  assert.equal(await idsOf(`?from=${ANNA}&to=${BEN}`), 'aef')
  for (const other of [ANNA.slice(1), ANNA.slice(0, -1), `${ANNA}0`, `${ANNA}%00`, 'x', '%25']) {
    assert.equal(await idsOf(`?from=${other}`), '', other)
    assert.equal(await idsOf(`?to=${other}`), '', other)
  }
})

test('an empty from, to or q filters nothing', async () => {
  for (const query of ['?from=', '?to=', '?q=', '?from=&to=&q=', '?from&q']) {
    assert.equal(await idsOf(query), 'abcdef', query)
  }
})

test('since is inclusive and until exclusive, both as instants', async () => {
  for (const ts of ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00.000Z', '2025-01-15T10:00:00.0Z']) {
    assert.equal(await idsOf(`?since=${ts}`), 'abcdef')
    assert.equal(await idsOf(`?until=${ts}`), '')
  }
  assert.equal(await idsOf('?since=2025-01-15T10:00:00.1Z'), 'cdef')
  assert.equal(await idsOf('?since=2025-01-15T10:00:00.5Z&until=2025-01-15T12:00:00Z'), 'c')
  assert.equal(await idsOf('?since=2025-01-15T12:00:00Z&until=2025-01-15T12:00:00Z'), '')
  assert.equal(await idsOf('?until=2025-01-15T10:00:00.500001Z'), 'abc')
})

test('an offset is converted, its plus sign percent-encoded or not', async () => {
  // Half past five in India is midnight in UTC.
  for (const ts of ['2025-01-16T05:30:00%2B05:30', '2025-01-16T05:30:00+05:30']) {
    assert.equal(await idsOf(`?since=${ts}`), 'ef', ts)
    assert.equal(await idsOf(`?until=${ts}`), 'abcd', ts)
  }
  assert.equal(await idsOf('?since=2025-01-15T20:00:00-04:00'), 'ef')
  assert.equal(await idsOf('?since=2025-01-15T23:59:59.9-00:00'), 'ef')
})

test('q finds substrings in upper and lower case, for all of Unicode', async () => {
  for (const q of ['café', 'CAFÉ', 'Cafe\u0301', 'afé']) assert.equal(await search(q), 'ac', q)
  assert.equal(await search('olé'), 'c')
  assert.equal(await search('STRAßE'), 'd')
  assert.equal(await search('istanbul'), '')
  assert.equal(await search('İSTANBUL'), 'd')
  assert.equal(await search('👩🏽‍💻'), 'd')
  assert.equal(await search('👩'), 'd')
})

test('no character of q is special, and a U+0000 finds what is shown for it', async () => {
  const found: Readonly<Record<string, string>> = {
    '%': 'b',
    _: 'b',
    'sure%': '',
    sure_thing: 'b',
    '"': 'b',
    '"quoted"': 'b',
    "'": 'b',
    "'single'": 'b',
    '*': 'b',
    'caf*': '',
    AND: 'b',
    'cafe OR ole': '',
    'NEAR(a b)': '',
    'text: cafe': '',
    '\\': 'f',
    '[bracket]': 'f',
    '[a-z]': '',
    'a\u0000b': 'f',
    '\ufffd': 'f',
    "'; drop table messages; --": '',
    ' ': 'abcdf',
    '  ': '',
  }
  for (const [q, ids] of Object.entries(found)) assert.equal(await search(q), ids, q)
})

test('all filters together narrow each other down', async () => {
  const filters = `?from=${ANNA}&to=${BEN}&since=2025-01-15T00:00:00Z&until=2025-01-17T00:00:01Z`
  assert.equal(await idsOf(filters), 'aef')
  assert.equal(await idsOf(`${filters}&q=LAIT&order=desc`), 'a')
  assert.equal(await idsOf(`${filters}&q=nowhere`), '')
})

test('parameters nobody knows are ignored', async () => {
  assert.equal(await idsOf('?unknown=1&unknown=2&__proto__=x&constructor=y&from[]=z'), 'abcdef')
})
