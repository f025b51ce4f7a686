import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Problem } from '../../src/app/errors.ts'
import { anyCharacter } from '../support/any-character.ts'
import { openServer } from '../support/http-server.ts'
import { flatBody } from '../support/signed.ts'

const server = await openServer({ after })
for (let i = 0; i < 3; i++) await server.post(flatBody())

async function problemsOf(query: string): Promise<readonly Problem[]> {
  const answer = await server.get(`/messages?${query}`)
  assert.equal(answer.statusCode, 422, `${query}: ${answer.body}`)
  return answer.json<{ detail: Problem[] }>().detail
}

const at = (name: string, msg: string, type: string): Problem => ({
  loc: ['query', name],
  msg,
  type,
})
const notANumber = 'Input should be a valid integer'
const notOnce = 'Input should be given once'

test('a limit outside 1 to 100 is 422, as FastAPI words it', async () => {
  const least = at('limit', 'Input should be greater than or equal to 1', 'greater_than_equal')
  const most = at('limit', 'Input should be less than or equal to 100', 'less_than_equal')
  for (const value of ['0', '-1', '-999999999999999']) {
    assert.deepEqual(await problemsOf(`limit=${value}`), [least])
  }
  for (const value of ['101', '1000000', '999999999999999']) {
    assert.deepEqual(await problemsOf(`limit=${value}`), [most])
  }
})

test('a negative offset is 422', async () => {
  assert.deepEqual(await problemsOf('offset=-1'), [
    at('offset', 'Input should be greater than or equal to 0', 'greater_than_equal'),
  ])
})

test('what is no whole number is 422', async () => {
  const values = ['', 'ten', '1.5', '1e1', '0x1', 'NaN', 'Infinity', 'true', '1,2', '١', '--1']
  for (const value of [...values, '9'.repeat(16), '9'.repeat(400), '%00', '%31%00', '[]']) {
    for (const name of ['limit', 'offset']) {
      const expected = [at(name, notANumber, 'int_parsing')]
      assert.deepEqual(await problemsOf(`${name}=${value}`), expected, value)
    }
  }
})

test('an order other than asc and desc is 422', async () => {
  for (const value of ['', 'ASC', 'ascending', 'random()', '1']) {
    const expected = [at('order', "Input should be 'asc' or 'desc'", 'literal_error')]
    assert.deepEqual(await problemsOf(`order=${value}`), expected)
  }
})

test('a since or until that is no existing date and time with an offset is 422', async () => {
  const values = [
    ...['', 'yesterday', '2025-01-15', '2025-01-15T10:00:00', '1736935200', '2025-02-30T10:00:00Z'],
    ...['2025-01-15T25:00:00Z', '2025-01-15T10:00:00%2B25:00', '2025-01-15T10:00:00Z%0A'],
    ...['2025-01-15T10:00:00Z%00', '0000-01-01T00:00:00Z', '99999-01-01T00:00:00Z'],
  ]
  for (const value of values) {
    for (const name of ['since', 'until']) {
      const [problem, ...others] = await problemsOf(`${name}=${value}`)
      assert.deepEqual(problem?.loc, ['query', name], value)
      assert.equal(problem?.type, 'datetime_parsing')
      assert.equal(others.length, 0)
    }
  }
})

test('a parameter given twice is 422, even with the same value', async () => {
  const values: Readonly<Record<string, string>> = {
    limit: '5',
    offset: '0',
    from: '%2B4915100000001',
    to: '%2B4915100000001',
    since: '2025-01-15T10:00:00Z',
    until: '2025-01-15T10:00:00Z',
    q: 'x',
    order: 'asc',
    cursor: 'x',
  }
  for (const [name, value] of Object.entries(values)) {
    const expected = [at(name, notOnce, 'value_error')]
    assert.deepEqual(await problemsOf(`${name}=${value}&${name}=${value}`), expected)
    assert.deepEqual(await problemsOf(`${name}=&${name}=${value}&${name}=`), expected)
  }
})

test('several bad parameters are reported together', async () => {
  const problems = await problemsOf('limit=0&offset=-1&order=x')
  assert.deepEqual(
    problems.map(({ loc }) => loc[1]),
    ['limit', 'offset', 'order'],
  )
  assert.equal((await problemsOf('since=x&until=y&cursor=z')).length, 3)
})

test('a cursor of another list, a made-up one and a changed one are 422', async () => {
  const first = await server.get('/messages?limit=1')
  const cursor = first.json<{ next_cursor: string }>().next_cursor
  assert.equal((await server.get(`/messages?cursor=${cursor}`)).statusCode, 200)
  const decoded = Buffer.from(cursor, 'base64url').toString()
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const queries = [
    `order=desc&cursor=${cursor}`,
    `q=canary&cursor=${cursor}`,
    `from=%2B19995550100&cursor=${cursor}`,
    `since=2025-01-01T00:00:00Z&cursor=${cursor}`,
    'cursor=',
    'cursor=x',
    'cursor=null',
    `cursor=${cursor.slice(0, -4)}`,
    `cursor=${encode('null')}`,
    `cursor=${encode('[]')}`,
    `cursor=${encode('{"length":3}')}`,
    `cursor=${encode(decoded.replace(/\d{4}-/, '2025-13'))}`,
    `cursor=${encode(decoded.replace(/,"message[^"]*"/, ',7'))}`,
    `cursor=${encode(decoded.replace(/message[^"]*"/, '\\ud800"'))}`,
    `cursor=${encode(`[${decoded}]`)}`,
    `cursor=${'A'.repeat(5000)}`,
  ]
  for (const query of queries) {
    assert.deepEqual(
      await problemsOf(query),
      [at('cursor', 'Input should be next_cursor of a page with the same filters', 'value_error')],
      query,
    )
  }
})

test('a cursor and an offset together are 422', async () => {
  const first = await server.get('/messages?limit=1')
  const cursor = first.json<{ next_cursor: string }>().next_cursor
  assert.deepEqual(await problemsOf(`offset=1&cursor=${cursor}`), [
    at('offset', 'Input should be 0 when there is a cursor', 'value_error'),
  ])
  assert.equal((await server.get(`/messages?offset=0&cursor=${cursor}`)).statusCode, 200)
})

test('no parameters whatsoever are answered with a 5xx', async () => {
  const name = fc.constantFrom(
    ...['limit', 'offset', 'from', 'to', 'since', 'until', 'q', 'order', 'cursor', 'x', ''],
  )
  const value = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 20 }).map(encodeURIComponent),
    fc.stringMatching(/^[!-~]{0,12}$/).map((text) => text.replaceAll('#', '')),
    fc.constantFrom('%', '%ff', '%ed%a0%80', '%00', "'", '1', '-1', 'desc', '%F0%9F%98%80'),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  )
  const query = fc.array(
    fc.tuple(name, value).map(([n, v]) => `${n}=${v}`),
    { maxLength: 5 },
  )
  const property = fc.asyncProperty(query, async (parts) => {
    const { statusCode } = await server.get(`/messages?${parts.join('&')}`)
    assert.ok(statusCode === 200 || statusCode === 422, String(statusCode))
  })
  await fc.assert(property, { numRuns: 300 })
})
