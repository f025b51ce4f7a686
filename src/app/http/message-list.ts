// What somebody may ask of the list of messages: the same over HTTP and in an export.
import type { Problem } from '../errors.ts'
import type { Direction } from '../model/event.ts'
import { fold, withoutNul } from '../model/fold.ts'
import { type Instant, parseQueryInstant } from '../model/instant.ts'
import type { MessageFilter } from '../model/message.ts'

/** The filters as they are asked for, in text. */
export type MessageQuery = {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly type?: string | undefined
  readonly direction?: Direction | undefined
  readonly status?: string | undefined
  readonly contact?: string | undefined
  readonly phone_number_id?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly q?: string | undefined
}

/** The filter a query means. What is wrong with it is added to `problems`. */
export function messageFilter(query: MessageQuery, problems: Problem[]): MessageFilter {
  const { from, to, type, direction, status, contact, phone_number_id: phoneNumberId, q } = query
  const since = instant('since', query.since, problems)
  const until = instant('until', query.until, problems)
  return {
    ...(from ? { from: withPlus(from) } : {}),
    ...(to ? { to: withPlus(to) } : {}),
    ...(type ? { type } : {}),
    ...(direction ? { direction } : {}),
    ...(status ? { status } : {}),
    ...(contact ? { contact: person(contact) } : {}),
    ...(phoneNumberId ? { phoneNumberId } : {}),
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
    ...(q ? { search: fold(withoutNul(q)) } : {}),
  }
}

/**
 * Whom a filter means: a phone number as it is stored, a BSUID, or a username. Digits alone are a
 * number as `wa_id` has it: in a BSUID and in a username there is a letter.
 */
export function person(value: string): string {
  return /^\d+$/.test(value) ? `+${value}` : withPlus(value)
}

/** A plus sign that was not percent-encoded arrives as a space. */
function withPlus(value: string): string {
  return value.startsWith(' ') ? `+${value.slice(1)}` : value
}

function instant(name: string, value: string | undefined, problems: Problem[]): Instant | null {
  if (value === undefined) return null
  const parsed = parseQueryInstant(value)
  if (parsed === null) {
    const msg =
      'Input should be an existing date and time with Z or an offset, such as 2025-01-15T10:00:00Z'
    problems.push({ loc: ['query', name], msg, type: 'datetime_parsing' })
  }
  return parsed
}
