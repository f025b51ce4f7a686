// Times as the payloads have them: seconds as text or number, milliseconds from relays.
import { type Instant, parseTimestamp } from '../../model/instant.ts'

export type Moment = { readonly ts: string; readonly instant: Instant }

/** What is larger than this is in milliseconds: as seconds it would be in the year 5138. */
const MILLISECONDS_FROM = 1e11
/** WhatsApp did not exist before; such a time is a fault. 2009-01-01, in ms. */
const EARLIEST_MS = 1_230_768_000_000
const LATEST_MS = 253_402_300_799_000

/** The moment a timestamp names; the first of them that names one, else `receivedAt` (ms). */
export function momentOf(receivedAt: number, ...timestamps: readonly unknown[]): Moment {
  for (const timestamp of timestamps) {
    const ms = millisecondsOf(timestamp)
    if (ms !== null) return momentAt(ms)
  }
  return momentAt(receivedAt)
}

/** A moment so many ms after 1970, in ISO 8601; the milliseconds only where there are any. */
export function tsOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

function momentAt(ms: number): Moment {
  const ts = tsOf(ms)
  const instant = parseTimestamp(ts)
  if (instant === null) throw new Error('A moment is always a timestamp.')
  return { ts, instant }
}

function millisecondsOf(timestamp: unknown): number | null {
  const isDigits = typeof timestamp === 'string' && /^\d{1,15}$/.test(timestamp)
  const value = isDigits ? Number(timestamp) : timestamp
  if (typeof value !== 'number' || !Number.isFinite(value)) return null
  const ms = Math.round(value >= MILLISECONDS_FROM ? value : value * 1000)
  return ms >= EARLIEST_MS && ms <= LATEST_MS ? ms : null
}
