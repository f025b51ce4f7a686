import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Instant, parseQueryInstant, parseTimestamp } from '../../../src/app/model/instant.ts'
import { anyCharacter } from '../../support/any-character.ts'

const FRACTION_DIGITS = 30

const aDate = fc.date({
  min: new Date('0001-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
})
const aFraction = fc.string({
  unit: fc.constantFrom(...'0123456789'),
  minLength: 1,
  maxLength: FRACTION_DIGITS,
})
/** A `ts` together with the number of 10^-30 seconds it stands for. Often close to another. */
const aTimestamp = fc
  .tuple(
    fc.oneof(fc.constantFrom(0, 1, 59), fc.integer({ min: -62_135_596_800, max: 253_402_300_799 })),
    fc.option(fc.oneof(fc.constantFrom('0', '5', '50', '500', '49', '51'), aFraction)),
  )
  .map(([seconds, fraction]) => ({
    ts: `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction ? `.${fraction}` : ''}Z`,
    value:
      BigInt(seconds) * 10n ** BigInt(FRACTION_DIGITS) +
      BigInt((fraction ?? '').padEnd(FRACTION_DIGITS, '0')),
  }))

function existing(instant: Instant | null): Instant {
  assert.notEqual(instant, null)
  return instant as Instant
}

describe('parseTimestamp', () => {
  for (const [ts, key] of [
    ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00'],
    ['2025-01-15T10:00:00.000Z', '2025-01-15T10:00:00'],
    ['2025-01-15T10:00:00.5Z', '2025-01-15T10:00:00.5'],
    ['2025-01-15T10:00:00.500Z', '2025-01-15T10:00:00.5'],
    ['2025-01-15T10:00:00.050Z', '2025-01-15T10:00:00.05'],
    ['2025-01-15T00:00:00Z', '2025-01-15T00:00:00'],
    ['2025-01-15T23:59:59Z', '2025-01-15T23:59:59'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999'],
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00'],
    ['2000-02-29T12:00:00Z', '2000-02-29T12:00:00'],
    [`2025-01-15T10:00:00.${'3'.repeat(30)}Z`, `2025-01-15T10:00:00.${'3'.repeat(30)}`],
  ] as const) {
    it(`takes ${ts}`, () => assert.equal(parseTimestamp(ts), key))
  }

  for (const ts of [
    '',
    '2025-02-30T10:00:00Z',
    '2025-02-29T10:00:00Z',
    '1900-02-29T10:00:00Z',
    '2025-04-31T10:00:00Z',
    '2025-01-32T10:00:00Z',
    '2025-01-00T10:00:00Z',
    '2025-00-15T10:00:00Z',
    '2025-13-15T10:00:00Z',
    '0000-01-15T10:00:00Z',
    '2025-01-15T24:00:00Z',
    '2025-01-15T25:00:00Z',
    '2025-01-15T10:60:00Z',
    '2025-01-15T10:00:60Z',
    '2016-12-31T23:59:60Z',
    '2025-01-15T10:00:00',
    '2025-01-15T10:00Z',
    '2025-01-15T10Z',
    '2025-01-15',
    '2025-01-15T10:00:00z',
    '2025-01-15t10:00:00Z',
    '2025-01-15 10:00:00Z',
    '2025-01-15T10:00:00+00:00',
    '2025-01-15T10:00:00+05:30',
    '2025-01-15T10:00:00.Z',
    '2025-01-15T10:00:00,5Z',
    '2025-01-15T10:00:00.5.5Z',
    '2025-01-15T10:00:00Z\n',
    ' 2025-01-15T10:00:00Z',
    '2025-01-15T10:00:00Z ',
    '2025-1-15T10:00:00Z',
    '25-01-15T10:00:00Z',
    '12025-01-15T10:00:00Z',
    '+002025-01-15T10:00:00Z',
    '-2025-01-15T10:00:00Z',
    '20250115T100000Z',
    '2025-W03-3T10:00:00Z',
    '٢٠٢٥-01-15T10:00:00Z',
    '2025-01-15T10:00:00.٥Z',
    '1736935200',
    `2025-01-15T10:00:00.${'3'.repeat(31)}Z`,
  ]) {
    it(`refuses ${JSON.stringify(ts)}`, () => assert.equal(parseTimestamp(ts), null))
  }

  it('takes exactly the days that exist', () => {
    for (const year of [1, 4, 100, 400, 1900, 2000, 2023, 2024, 2100, 9996, 9999]) {
      for (let month = 0; month <= 13; month++) {
        for (let day = 0; day <= 32; day++) {
          const ts = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T00:00:00Z`
          assert.equal(parseTimestamp(ts) !== null, existsForDate(ts), ts)
        }
      }
    }
  })

  it('takes the 29th of February in leap years only, from the year 1 to 9999', () => {
    for (let year = 1; year <= 9999; year++) {
      const ts = `${digits(year, 4)}-02-29T00:00:00Z`
      assert.equal(parseTimestamp(ts) !== null, existsForDate(ts), ts)
    }
  })

  it('orders instants as Date does', () => {
    fc.assert(
      fc.property(aDate, aDate, (a, b) => {
        const [one, other] = [a, b].map((date) => existing(parseTimestamp(date.toISOString())))
        assert.ok(one !== undefined && other !== undefined)
        assert.equal(compare(one, other), compare(a.getTime(), b.getTime()))
      }),
    )
  })

  it('orders instants exactly, at any number of fraction digits', () => {
    fc.assert(
      fc.property(aTimestamp, aTimestamp, (a, b) => {
        const one = existing(parseTimestamp(a.ts))
        const other = existing(parseTimestamp(b.ts))
        assert.equal(compare(one, other), compare(a.value, b.value))
      }),
      { numRuns: 1000 },
    )
  })

  it('gives an instant one key, however many zeros its fraction ends in', () => {
    fc.assert(
      fc.property(aDate, fc.integer({ min: 0, max: 27 }), (date, zeros) => {
        const ts = date.toISOString()
        assert.equal(parseTimestamp(ts.replace('Z', `${'0'.repeat(zeros)}Z`)), parseTimestamp(ts))
      }),
    )
  })

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) =>
        assert.equal(parseTimestamp(text), null),
      ),
    )
  })
})

describe('parseQueryInstant', () => {
  for (const [value, ts] of [
    ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00.000Z', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00.250Z', '2025-01-15T10:00:00.25Z'],
    ['2025-01-15t10:00:00z', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00Z', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00+00:00', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00-00:00', '2025-01-15T10:00:00Z'],
    ['2025-01-15T10:00:00+05:30', '2025-01-15T04:30:00Z'],
    ['2025-01-15T10:00:00 05:30', '2025-01-15T04:30:00Z'],
    ['2025-01-15T10:00:00+0530', '2025-01-15T04:30:00Z'],
    ['2025-01-15T10:00+05:30', '2025-01-15T04:30:00Z'],
    ['2025-01-15T10:00:00.125-08:00', '2025-01-15T18:00:00.125Z'],
    ['2025-01-01T00:00:00+01:00', '2024-12-31T23:00:00Z'],
    ['2024-02-28T23:30:00-01:00', '2024-02-29T00:30:00Z'],
    ['2025-02-28T23:30:00-01:00', '2025-03-01T00:30:00Z'],
    ['2025-01-15T10:00:00+23:59', '2025-01-14T10:01:00Z'],
    ['0099-06-01T00:00:00+01:00', '0099-05-31T23:00:00Z'],
  ] as const) {
    it(`takes ${value} for ${ts}`, () => {
      assert.equal(parseQueryInstant(value), existing(parseTimestamp(ts)))
    })
  }

  for (const value of [
    '',
    '2025-01-15',
    '2025-01-15T10:00:00',
    '2025-02-30T10:00:00Z',
    '2025-02-29T10:00:00+05:30',
    '0000-12-31T23:00:00Z',
    '2025-01-15T25:00:00Z',
    '2025-01-15T10:60:00Z',
    '2025-01-15T10:00:60Z',
    '2025-01-15T10:00:00+24:00',
    '2025-01-15T10:00:00+05:60',
    '2025-01-15T10:00:00+5:30',
    '2025-01-15T10:00:00+05',
    '2025-01-15T10:00:00++05:30',
    '2025-01-15T10:00:00Z+05:30',
    '2025-01-15T10:00:00.Z',
    '2025-01-15T10:00:00Z\n',
    '2025-01-15T10:00:00+05:30 ',
    '1736935200',
    'yesterday',
    `2025-01-15T10:00:00.${'3'.repeat(31)}Z`,
  ]) {
    it(`refuses ${JSON.stringify(value)}`, () => assert.equal(parseQueryInstant(value), null))
  }

  it('takes every ts for the instant it is', () => {
    fc.assert(
      fc.property(aTimestamp, ({ ts }) => assert.equal(parseQueryInstant(ts), parseTimestamp(ts))),
    )
  })

  it('takes a local time with its offset for the same instant in UTC', () => {
    const anOffset = fc.integer({ min: -(24 * 60 - 1), max: 24 * 60 - 1 })
    const aDateWithin = fc.date({
      min: new Date('0001-01-02T00:00:00.000Z'),
      max: new Date('9999-12-30T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(aDateWithin, anOffset, (date, minutes) => {
        const local = new Date(date.getTime() + minutes * 60_000).toISOString().replace('Z', '')
        const offset = `${digits(Math.abs(minutes) / 60, 2)}:${digits(Math.abs(minutes) % 60, 2)}`
        const expected = parseTimestamp(date.toISOString())
        assert.equal(parseQueryInstant(`${local}${minutes < 0 ? '-' : '+'}${offset}`), expected)
        if (minutes >= 0) assert.equal(parseQueryInstant(`${local} ${offset}`), expected)
      }),
    )
  })

  it('puts what an offset moves out of the years 1 to 9999 before or behind every message', () => {
    const before = existing(parseQueryInstant('0001-01-01T00:00:00+00:01'))
    const behind = existing(parseQueryInstant('9999-12-31T23:59:59-00:01'))
    const last = `9999-12-31T23:59:59.${'9'.repeat(30)}Z`
    assert.ok(before < existing(parseTimestamp('0001-01-01T00:00:00Z')))
    assert.ok(behind > existing(parseTimestamp(last)))
  })
})

function digits(value: number, count: number): string {
  return String(Math.trunc(value)).padStart(count, '0')
}

/** Date rolls 30 February over into March, so what exists comes back as it was. */
function existsForDate(ts: string): boolean {
  const date = new Date(ts)
  return !Number.isNaN(date.getTime()) && date.toISOString() === ts.replace('Z', '.000Z')
}

function compare<Value extends string | number | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0
}
