// GET /messages and GET /messages/{message_id}.
import type { FastifyInstance } from 'fastify'
import { AppError, type Problem, ValidationError } from '../../errors.ts'
import { fold, withoutNul } from '../../model/fold.ts'
import { type Instant, parseQueryInstant } from '../../model/instant.ts'
import type { Message, MessageFilter, PageRequest } from '../../model/message.ts'
import type { MessageStore } from '../../store/store.ts'
import {
  ERRORS,
  MessageBody,
  MessageList,
  MessageParams,
  MessagesQuery,
  READ_ERRORS,
} from '../api-types.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'

/** Adds both routes to `app`. */
export function messageRoutes(
  app: FastifyInstance,
  store: Pick<MessageStore, 'page' | 'find'>,
): void {
  app.get<{ Querystring: MessagesQuery }>(
    '/messages',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List and search messages',
        description: 'In the order of their instant, then of their id.',
        tags: ['messages'],
        querystring: MessagesQuery,
        response: { 200: MessageList, ...READ_ERRORS, 422: ERRORS[422] },
      },
    },
    async ({ query }) => {
      const request = pageRequest(query)
      const page = await store.page(request)
      return {
        data: page.messages.map(present),
        total: page.total,
        limit: request.limit,
        offset: request.offset,
        next_cursor: page.next === null ? null : encodeCursor(request, page.next),
      }
    },
  )
  app.get<{ Params: MessageParams }>(
    '/messages/:message_id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read one message',
        tags: ['messages'],
        params: MessageParams,
        response: { 200: MessageBody, ...READ_ERRORS, 404: ERRORS[404] },
      },
    },
    async ({ params }) => {
      const message = await store.find(params.message_id)
      if (message === null) throw new AppError('message_not_found')
      return present(message)
    },
  )
}

/** A message in the words of the API. */
function present({ messageId, from, to, ts, text }: Message) {
  return { message_id: messageId, from, to, ts, text }
}

function pageRequest(query: MessagesQuery): PageRequest {
  const { limit, offset, order, cursor } = query
  const problems: Problem[] = []
  const filter = filterFrom(query, problems)
  const after = cursor === undefined ? undefined : decodeCursor({ filter, order }, cursor)
  if (after === null) {
    problems.push(problem('cursor', 'Input should be next_cursor of a page with the same filters'))
  } else if (after !== undefined && offset > 0) {
    problems.push(problem('offset', 'Input should be 0 when there is a cursor'))
  }
  if (problems.length > 0 || after === null) throw new ValidationError(problems)
  return { filter, order, limit, offset, ...(after === undefined ? {} : { after }) }
}

function filterFrom(query: MessagesQuery, problems: Problem[]): MessageFilter {
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

function problem(name: string, msg: string): Problem {
  return { loc: ['query', name], msg, type: 'value_error' }
}
