// A raw body against its digest, and as the events that were in it.
import type { ProviderName } from '../../model/event.ts'
import { digestOf } from '../body.ts'
import { Readings } from './readings.ts'
import type { ParseBody, Report } from './verification.ts'

/** An intake as it is stored. */
export type IntakeToCheck = {
  readonly id: number
  readonly provider: ProviderName
  readonly received_at: number
  readonly sha256: Uint8Array
  readonly bytes: number
}

/** Of a row, the body that it came in, and how that came. */
export type FromBody = {
  readonly intake: number
  readonly provider: ProviderName
  readonly received_at: number
}

/** Reports where a body is said to have come otherwise than a row that was in it. */
export function checkArrival(row: FromBody, intake: IntakeToCheck, report: Report): void {
  for (const column of ['provider', 'received_at'] as const) {
    if (row[column] === intake[column]) continue
    report(`intake ${intake.id}: ${column} is not that of what was in its body.`)
  }
}

/** Reports that a body is gone that should not be. */
export function reportMissing(id: number, report: Report): void {
  report(`intake ${id}: the body is missing, and has not expired.`)
}

/** What was in an intake; null where a finding says why there are none. */
export function readingsOf(
  { id, provider, received_at, sha256, bytes }: IntakeToCheck,
  /** Null where what is stored can't be unpacked. */
  body: Buffer | null,
  { parse, report }: { readonly parse: ParseBody; readonly report: Report },
): Readings | null {
  const holds = body !== null && body.length === bytes && digestOf(body).equals(sha256)
  if (!holds) report(`intake ${id}: the body does not have the SHA-256 stored with it.`)
  if (body === null) return null
  try {
    return new Readings((rules) => parse(provider, body, received_at, rules))
  } catch {
    report(`intake ${id}: the body holds no valid message.`)
    return null
  }
}
