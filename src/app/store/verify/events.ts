// A stored event other than a message against the events of the body it came in.
import { PLACEHOLDER_FILLED } from '../../model/content.ts'
import type { IncomingEvent } from '../../model/event.ts'
import { identityOf, messageOf, type OtherThanMessage, typeOf } from '../sql/identity.ts'
import type { FromBody } from './bodies.ts'
import type { Readings } from './readings.ts'
import type { Report } from './verification.ts'

/** The columns of an event that come from its body. */
export const EVENT_COLUMNS = `seq, kind, type, key, provider, intake, received_at, message_id,
  participant, phone_number_id, ts, instant, text, data`

export type EventToCheck = FromBody & {
  readonly seq: number
  readonly kind: string
  readonly type: string
  readonly key: string | null
  readonly message_id: string | null
  readonly participant: string | null
  readonly phone_number_id: string | null
  readonly ts: string
  readonly instant: string
  readonly text: string | null
  readonly data: string
}

/** Reports where it is not one of the events of its body, or says something else. */
export function checkEvent(row: EventToCheck, body: Readings, report: Report): void {
  // The store's own event: no body holds it.
  if (row.type === PLACEHOLDER_FILLED) return
  const columns = body.differences((events) => leastDiffering(events, row))
  if (columns === null) report(`row ${row.seq} (${row.kind}): the body holds no such event.`)
  for (const column of columns ?? []) {
    report(`row ${row.seq} (${row.kind}): the column ${column} is not what the body says.`)
  }
}

/** Without a key two events may look alike but for what they say. */
function leastDiffering(events: readonly IncomingEvent[], row: EventToCheck) {
  const differing = events.flatMap((event) =>
    event.kind !== 'message' && isOf(event, row) ? [differences(event, row)] : [],
  )
  return differing.sort((a, b) => a.length - b.length)[0] ?? null
}

function isOf(event: OtherThanMessage, row: EventToCheck): boolean {
  return event.kind === row.kind && typeOf(event) === row.type && identityOf(event) === row.key
}

function differences(event: OtherThanMessage, row: EventToCheck): string[] {
  const columns = Object.entries(columnsOf(event)).flatMap(([column, value]) =>
    row[column as keyof EventToCheck] === (value?.toWellFormed() ?? null) ? [] : [column],
  )
  if (wasRepeated(event, row)) return columns.filter((column) => !REPEATED.includes(column))
  const isTimed = event.instant === row.instant && event.ts === row.ts
  return isTimed ? columns : [...columns, 'instant']
}

function columnsOf(event: OtherThanMessage) {
  return {
    message_id: messageOf(event),
    participant: event.kind === 'status' ? event.participant : null,
    phone_number_id: event.phoneNumberId,
    text: event.kind === 'edit' ? event.text : null,
    data: JSON.stringify(event.data ?? null),
  }
}

/** Of a status that was repeated with another time, the earliest one counts, and what it says. */
function wasRepeated({ kind, instant }: OtherThanMessage, row: EventToCheck): boolean {
  return kind === 'status' && row.instant < instant
}

const REPEATED: readonly string[] = ['phone_number_id', 'data']
