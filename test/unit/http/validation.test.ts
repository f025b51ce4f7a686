import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import Type from 'typebox'
import { ValidationError } from '../../../src/app/errors.ts'
import { compileValidator } from '../../../src/app/http/validation.ts'

const SCHEMA = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
  order: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: ['asc', 'desc'] })),
  name: Type.Optional(Type.String()),
})

type Checked = { value?: unknown; error?: Error }

function check(data: unknown, httpPart = 'querystring'): Checked {
  const route = { schema: SCHEMA, httpPart, method: 'GET', url: '/' }
  return compileValidator(route)(data) as Checked
}

function problemsOf(data: unknown, httpPart?: string) {
  const { error } = check(data, httpPart)
  assert.ok(error instanceof ValidationError)
  return error.problems
}

test('what is missing takes its default, and digits become a number', () => {
  assert.deepEqual(check({}), { value: { limit: 50 } })
  assert.deepEqual(check({ limit: '7' }), { value: { limit: 7 } })
  assert.deepEqual(check({ limit: '007', name: '7' }), { value: { limit: 7, name: '7' } })
})

test('what is given is not changed in place', () => {
  const data = Object.freeze({ limit: '7' })
  check(data)
  assert.deepEqual(data, { limit: '7' })
})

test('each kind of problem has the words of FastAPI', () => {
  const at = (name: string, msg: string, type: string) => [{ loc: ['query', name], msg, type }]
  assert.deepEqual(
    problemsOf({ limit: 'x' }),
    at('limit', 'Input should be a valid integer', 'int_parsing'),
  )
  assert.deepEqual(
    problemsOf({ limit: '0' }),
    at('limit', 'Input should be greater than or equal to 1', 'greater_than_equal'),
  )
  assert.deepEqual(
    problemsOf({ limit: '101' }),
    at('limit', 'Input should be less than or equal to 100', 'less_than_equal'),
  )
  assert.deepEqual(
    problemsOf({ order: 'up' }),
    at('order', "Input should be 'asc' or 'desc'", 'literal_error'),
  )
  assert.deepEqual(
    problemsOf({ name: ['a', 'b'] }),
    at('name', 'Input should be given once', 'value_error'),
  )
})

test('the part of the request is named', () => {
  for (const [part, named] of [
    ['querystring', 'query'],
    ['params', 'params'],
  ] as const) {
    assert.equal(problemsOf({ limit: 'x' }, part)[0]?.loc[0], named)
  }
})

test('a body passes unseen: it is bytes until its signature holds', () => {
  assert.equal(check(Buffer.from('not json'), 'body'), true)
})

test('headers pass as they are: whoever reads one checks it', () => {
  assert.equal(check({ limit: 'x' }, 'headers'), true)
})

test('a problem never quotes what was given', () => {
  const text = fc.string({ minLength: 5 }).filter((value) => !/^-?\d+$/.test(value))
  fc.assert(
    fc.property(text, (value) => {
      const problems = problemsOf({ limit: value, order: `${value}!`, name: [value, value] })
      assert.deepEqual(
        problems.map(({ loc }) => loc[1]),
        ['limit', 'order', 'name'],
      )
      const words = problems.map(({ msg }) => msg)
      assert.ok(
        words.every((msg) => /^Input should be (a valid integer|'asc'|given once)/.test(msg)),
      )
    }),
  )
})

test('every whole number in the bounds is taken, and no other', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1000, max: 1000 }), (limit) => {
      const valid = limit >= 1 && limit <= 100
      assert.equal(check({ limit: String(limit) }).error === undefined, valid)
    }),
  )
})
