// GET /messages and GET /messages/{message_id}.
import type { FastifyInstance } from 'fastify'
import { AppError, type Problem, ValidationError } from '../../errors.ts'
import type { PageRequest } from '../../model/message.ts'
import type { MessageReader } from '../../store/store.ts'
import { ERRORS, READ_ERRORS } from '../api-types.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { messageFilter } from '../message-list.ts'
import { MessageDetailBody, MessageList, MessageParams, MessagesQuery } from '../message-types.ts'
import { presentDetail, presentMessage } from '../present.ts'

/** Adds both routes to `app`. */
export function messageRoutes(
  app: FastifyInstance,
  store: Pick<MessageReader, 'page' | 'find'>,
): void {
  app.get<{ Querystring: MessagesQuery }>(
    '/messages',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List and search messages',
        description: 'In the order of `ts`, then of `message_id`.',
        tags: ['messages'],
        querystring: MessagesQuery,
        response: { 200: MessageList, ...READ_ERRORS, 422: ERRORS[422] },
      },
    },
    ({ query }) => answerPage(store, query),
  )
  app.get<{ Params: MessageParams }>(
    '/messages/:message_id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read one message and what happened to it',
        description:
          'Of each list the latest entries; `shortened` names those that lack earlier ones. All of them are in `/events?message_id=`.',
        tags: ['messages'],
        params: MessageParams,
        response: { 200: MessageDetailBody, ...READ_ERRORS, 404: ERRORS[404] },
      },
    },
    async ({ params }) => {
      const message = await store.find(params.message_id)
      if (message === null) throw new AppError('message_not_found')
      return presentDetail(message)
    },
  )
}

/** The page a query asks for. Throws ValidationError where it asks for none. */
export async function answerPage(store: Pick<MessageReader, 'page'>, query: MessagesQuery) {
  const request = pageRequest(query)
  const page = await store.page(request)
  return {
    data: page.messages.map(presentMessage),
    total: page.total,
    limit: request.limit,
    offset: request.offset,
    next_cursor: page.next === null ? null : encodeCursor(request, page.next),
  }
}

function pageRequest(query: MessagesQuery): PageRequest {
  const { limit, offset, order, cursor } = query
  const problems: Problem[] = []
  const filter = messageFilter(query, problems)
  const after = cursor === undefined ? undefined : decodeCursor({ filter, order }, cursor)
  if (after === null) {
    problems.push(problem('cursor', 'Input should be next_cursor of a page with the same filters'))
  } else if (after !== undefined && offset > 0) {
    problems.push(problem('offset', 'Input should be 0 when there is a cursor'))
  }
  if (problems.length > 0 || after === null) throw new ValidationError(problems)
  return { filter, order, limit, offset, ...(after === undefined ? {} : { after }) }
}

function problem(name: string, msg: string): Problem {
  return { loc: ['query', name], msg, type: 'value_error' }
}
