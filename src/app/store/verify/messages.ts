// A stored message against the events of the body it came in.
import { PLACEHOLDER } from '../../model/content.ts'
import type { IncomingEvent, MessageEvent } from '../../model/event.ts'
import type { FromBody } from './bodies.ts'
import type { Readings } from './readings.ts'
import { nameOf, type Report } from './verification.ts'

/** The columns of a message that come from its body, and those that tell what became of them. */
export const MESSAGE_COLUMNS = `seq, message_id, namespace, provider, intake, received_at, type,
  direction, sender, recipient, phone_number_id, ts, instant, text, edited, original_text, content`

export type MessageToCheck = FromBody & {
  readonly seq: number
  readonly message_id: string
  readonly namespace: string
  readonly type: string
  readonly direction: string
  readonly sender: string
  readonly recipient: string
  readonly phone_number_id: string | null
  readonly ts: string
  readonly instant: string
  readonly text: string | null
  readonly edited: 0 | 1 | 2
  readonly original_text: string | null
  readonly content: string | null
}

/** Reports where it is not one of the events of its body, or says something else. */
export function checkMessage(row: MessageToCheck, body: Readings, report: Report): void {
  const columns = body.differences((events) => differences(events, row))
  if (columns === null) report(`${nameOf(row)}: the body holds no such message.`)
  for (const column of columns ?? []) {
    report(`${nameOf(row)}: the column ${column} is not what the body says.`)
  }
}

function differences(events: readonly IncomingEvent[], row: MessageToCheck): string[] | null {
  const event = events.find((candidate): candidate is MessageEvent => isOf(candidate, row))
  if (event === undefined) return null
  // Its content followed in another request.
  if (event.type === PLACEHOLDER) return []
  const stored = { ...row, text: row.edited === 0 ? row.text : row.original_text }
  return Object.entries(columnsOf(event)).flatMap(([column, value]) =>
    stored[column as keyof MessageToCheck] === storable(value) || isToldLater(column, event)
      ? []
      : [column],
  )
}

/** To whom media of a history went, the placeholder for them says, which may have come later. */
function isToldLater(column: string, { direction, to }: MessageEvent): boolean {
  return column === 'recipient' && direction === 'outbound' && to === ''
}

function isOf(event: IncomingEvent, { message_id, namespace }: MessageToCheck): boolean {
  if (event.kind !== 'message') return false
  return storable(event.messageId) === message_id && event.namespace === namespace
}

function columnsOf(event: MessageEvent) {
  return {
    type: event.type,
    direction: event.direction,
    sender: event.from,
    recipient: event.to,
    phone_number_id: event.phoneNumberId,
    ts: event.ts,
    instant: event.instant,
    text: event.text,
    content: event.content === null ? null : JSON.stringify(event.content),
  }
}

/** No engine stores half a surrogate pair. */
function storable(value: string | null): string | null {
  return value?.toWellFormed() ?? null
}
