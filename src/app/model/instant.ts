// Instants as text keys: exact at any number of fraction digits, ordered as plain strings, and the
// same in every database. "2025-01-15T10:00:00" for …00Z and …00.000Z, "….5" for …00.50Z.

declare const brand: unique symbol
/** A UTC instant as a sortable key: `YYYY-MM-DDTHH:MM:SS`, then `.` and digits without trailing zeros. */
export type Instant = string & { readonly [brand]: 'Instant' }

const MAX_FRACTION_DIGITS = 30
const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?Z$/
const QUERY_INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(?:[Zz]|([+ -])(\d{2}):?(\d{2}))$/

/** Sorts after every instant a message can have: what lies past the year 9999. */
const AFTER_EVERYTHING = '9999-12-31T23:59:60' as Instant

/**
 * The instant of a message's `ts`: ISO 8601 in UTC, with `T`, seconds and `Z`, optionally a
 * fraction of up to 30 digits. Null when it has another form or names a date that does not exist.
 */
export function parseTimestamp(ts: string): Instant | null {
  const match = TIMESTAMP.exec(ts)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, fraction] = match
  if (!exists(year, month, day) || !isTimeOfDay(hour, minute, second)) return null
  if (fraction !== undefined && fraction.length > MAX_FRACTION_DIGITS) return null
  return withFraction(ts.slice(0, 19), fraction)
}

/**
 * The instant a query parameter names: as `ts`, or with an offset such as `+05:30`, which is
 * converted. A `+` that arrived as a space (not percent-encoded) still means `+`; seconds may be
 * left out. Null when it has another form, lacks an offset or names a date that does not exist.
 */
export function parseQueryInstant(value: string): Instant | null {
  const match = QUERY_INSTANT.exec(value)
  if (match === null) return null
  const [, year, month, day, hour, minute, second = '00', fraction, sign, hours, minutes] = match
  if (!exists(year, month, day) || !isTimeOfDay(hour, minute, second)) return null
  if (fraction !== undefined && fraction.length > MAX_FRACTION_DIGITS) return null
  if (sign !== undefined && !isTimeOfDay(hours, minutes, '00')) return null
  const offsetMinutes = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1)
  const local = new Date(0)
  local.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  local.setUTCHours(Number(hour), Number(minute) - offsetMinutes, Number(second))
  if (local.getUTCFullYear() > 9999) return AFTER_EVERYTHING
  return withFraction(local.toISOString().slice(0, 19), fraction)
}

function withFraction(seconds: string, fraction: string | undefined): Instant {
  const digits = fraction?.replace(/0+$/, '') ?? ''
  return (digits === '' ? seconds : `${seconds}.${digits}`) as Instant
}

function exists(year: string | undefined, month: string | undefined, day: string | undefined) {
  const y = Number(year)
  const m = Number(month)
  const d = Number(day)
  return y >= 1 && m >= 1 && m <= 12 && d >= 1 && d <= daysIn(y, m)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}

function isTimeOfDay(hour?: string, minute?: string, second?: string): boolean {
  return Number(hour) <= 23 && Number(minute) <= 59 && Number(second) <= 59
}
