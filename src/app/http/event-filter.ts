// The filters of the sequence, as they are asked for.
import { type Problem, ValidationError } from '../errors.ts'
import type { EventFilter, EventKind } from '../model/event.ts'
import { EVENT_KINDS } from './event-types.ts'
import { person } from './message-list.ts'

export type FilterQuery = {
  readonly kind?: string | undefined
  readonly contact?: string | undefined
  readonly phone_number_id?: string | undefined
  readonly message_id?: string | undefined
}

/** The filter a query means. Throws ValidationError for a kind that does not exist. */
export function eventFilter(query: FilterQuery): EventFilter {
  const { kind, contact, phone_number_id: number, message_id: messageId } = query
  return {
    ...(kind ? { kinds: kind.split(',').map((name) => kindNamed(name.trim())) } : {}),
    ...(contact ? { contact: person(contact) } : {}),
    ...(number ? { phoneNumberId: number } : {}),
    ...(messageId ? { messageId } : {}),
  }
}

function kindNamed(name: string): EventKind {
  const kind = EVENT_KINDS.find((candidate) => candidate === name)
  if (kind !== undefined) return kind
  const msg = `Input should be one or more of ${EVENT_KINDS.join(', ')}, separated by commas`
  const problem: Problem = { loc: ['query', 'kind'], msg, type: 'literal_error' }
  throw new ValidationError([problem])
}
