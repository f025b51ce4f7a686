// What somebody may ask of the list of messages and how one is shown to them: the same over HTTP
// and in an export.
import type { Problem } from '../errors.ts'
import { fold, withoutNul } from '../model/fold.ts'
import { type Instant, parseQueryInstant } from '../model/instant.ts'
import type { Message, MessageFilter } from '../model/message.ts'

/** The filters as they are asked for, in text. */
export type MessageQuery = {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly q?: string | undefined
}

/** The filter a query means. What is wrong with it is added to `problems`. */
export function messageFilter(query: MessageQuery, problems: Problem[]): MessageFilter {
  const { from, to, q } = query
  const since = instant('since', query.since, problems)
  const until = instant('until', query.until, problems)
  return {
    ...(from ? { from: phoneNumber(from) } : {}),
    ...(to ? { to: phoneNumber(to) } : {}),
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
    ...(q ? { search: fold(withoutNul(q)) } : {}),
  }
}

/** A message in the words of the API. */
export function presentMessage({ messageId, from, to, ts, text }: Message) {
  return { message_id: messageId, from, to, ts, text }
}

/** A plus sign that was not percent-encoded arrives as a space. */
function phoneNumber(value: string): string {
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
