import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeCursor, encodeCursor, type List } from '../../../src/app/http/cursor.ts'
import type { Instant } from '../../../src/app/model/instant.ts'
import { anyCharacter } from '../../support/any-character.ts'

const anInstant = fc
  .tuple(
    fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    fc.stringMatching(/^(\.\d{0,29}[1-9])?$/),
  )
  .map(([date, fraction]) => `${date.toISOString().slice(0, 19)}${fraction}` as Instant)

const anId = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 20 })
const aPosition = fc.record(
  { instant: anInstant, messageId: anId, seq: fc.maxSafeNat() },
  { noNullPrototype: true },
)

const aList: fc.Arbitrary<List> = fc.record({
  filter: fc.record(
    {
      from: anId,
      to: anId,
      type: anId,
      direction: fc.constantFrom('inbound', 'outbound'),
      status: anId,
      contact: anId,
      phoneNumberId: anId,
      since: anInstant,
      until: anInstant,
      search: anId,
    },
    { requiredKeys: [] },
  ),
  order: fc.constantFrom('asc', 'desc'),
})

const LIST: List = { filter: {}, order: 'asc' }
const POSITION = { instant: '2025-01-15T10:00:00.5' as Instant, messageId: 'm-1', seq: 7 }

test('a cursor leads back to the position it was made of, in the same list', () => {
  fc.assert(
    fc.property(aList, aPosition, (list, position) => {
      assert.deepEqual(decodeCursor(list, encodeCursor(list, position)), position)
    }),
  )
})

test('a cursor needs no percent-encoding', () => {
  fc.assert(
    fc.property(aList, aPosition, (list, position) => {
      assert.match(encodeCursor(list, position), /^[A-Za-z0-9_-]+$/)
    }),
  )
})

test('a cursor of another list is none', () => {
  fc.assert(
    fc.property(aList, aList, aPosition, (one, other, position) => {
      fc.pre(JSON.stringify(one) !== JSON.stringify(other))
      assert.equal(decodeCursor(other, encodeCursor(one, position)), null)
    }),
  )
})

test('filters that only look alike are of different lists', () => {
  const lists: List[] = [
    LIST,
    { filter: {}, order: 'desc' },
    { filter: { from: 'x' }, order: 'asc' },
    { filter: { to: 'x' }, order: 'asc' },
    { filter: { search: 'x' }, order: 'asc' },
    { filter: { type: 'x' }, order: 'asc' },
    { filter: { status: 'x' }, order: 'asc' },
    { filter: { contact: 'x' }, order: 'asc' },
    { filter: { phoneNumberId: 'x' }, order: 'asc' },
    { filter: { from: 'x', to: 'x' }, order: 'asc' },
    { filter: { search: '' }, order: 'asc' },
    { filter: { search: 'null' }, order: 'asc' },
  ]
  const cursors = lists.map((list) => encodeCursor(list, POSITION))
  assert.equal(new Set(cursors).size, lists.length)
})

test('what nobody encoded is none, and never an error', () => {
  const cursor = encodeCursor(LIST, POSITION)
  const [print] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string]
  const forged = [
    null,
    7,
    'x',
    {},
    [],
    [print],
    [print, POSITION.instant],
    [print, POSITION.instant, 7, 7],
    [print, POSITION.instant, '\ud800', 7],
    [print, POSITION.instant, 'm-1'],
    [print, POSITION.instant, 'm-1', '7'],
    [print, POSITION.instant, 'm-1', 7.5],
    [print, 7, 'm-1', 7],
    [print, '2025-02-30T10:00:00', 'm-1', 7],
    [print, '2025-01-15T10:00:00Z', 'm-1', 7],
    [print, '2025-01-15T10:00:00.50', 'm-1', 7],
    [print, '2025-01-15 10:00:00', 'm-1', 7],
    [print, '', 'm-1', 7],
    ['other', POSITION.instant, 'm-1', 7],
    [print, POSITION.instant, 'm-1', 7, 'more'],
  ]
  for (const value of forged) {
    const text = Buffer.from(JSON.stringify(value)).toString('base64url')
    assert.equal(decodeCursor(LIST, text), null, JSON.stringify(value))
  }
  const anyText = fc.oneof(fc.string({ unit: anyCharacter }), fc.base64String(), fc.json())
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(decodeCursor(LIST, text), null)
      const encoded = Buffer.from(text).toString('base64url')
      assert.equal(decodeCursor(LIST, encoded), null)
    }),
  )
})
