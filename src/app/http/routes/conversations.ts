// GET /conversations and the messages of one.
import type { FastifyInstance } from 'fastify'
import { ValidationError } from '../../errors.ts'
import type { MessageReader } from '../../store/store.ts'
import { ERRORS, READ_ERRORS } from '../api-types.ts'
import { decodeConversationCursor, encodeConversationCursor } from '../cursor.ts'
import { person } from '../message-list.ts'
import { ConversationQuery, MessageList, type MessagesQuery } from '../message-types.ts'
import { presentContact, presentMessage } from '../present.ts'
import { ConversationList, ConversationParams, ConversationsQuery } from '../summary-types.ts'
import { answerPage } from './messages.ts'

/** Adds the routes to `app`. */
export function conversationRoutes(
  app: FastifyInstance,
  store: Pick<MessageReader, 'conversations' | 'page'>,
): void {
  listConversations(app, store)
  listMessagesOfOne(app, store)
}

function listConversations(
  app: FastifyInstance,
  store: Pick<MessageReader, 'conversations'>,
): void {
  app.get<{ Querystring: ConversationsQuery }>(
    '/conversations',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List people by their newest message',
        tags: ['messages'],
        querystring: ConversationsQuery,
        response: { 200: ConversationList, ...READ_ERRORS, 422: ERRORS[422] },
      },
    },
    async ({ query: { limit, cursor } }) => {
      const after = cursor === undefined ? undefined : decodeConversationCursor(cursor)
      if (after === null) throw invalidCursor()
      const page = await store.conversations({ limit, ...(after === undefined ? {} : { after }) })
      return {
        data: page.conversations.map(({ contact, messages, last }) => ({
          contact: presentContact(contact),
          messages,
          last_activity: last.ts,
          last_message: presentMessage(last),
        })),
        limit,
        next_cursor: page.next === null ? null : encodeConversationCursor(page.next),
      }
    },
  )
}

function listMessagesOfOne(app: FastifyInstance, store: Pick<MessageReader, 'page'>): void {
  app.get<{ Params: ConversationParams; Querystring: MessagesQuery }>(
    '/conversations/:contact/messages',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the messages with one person',
        description: 'As /messages with the filter `contact`.',
        tags: ['messages'],
        params: ConversationParams,
        querystring: ConversationQuery,
        response: { 200: MessageList, ...READ_ERRORS, 422: ERRORS[422] },
      },
    },
    ({ params, query }) => answerPage(store, { ...query, contact: person(params.contact) }),
  )
}

function invalidCursor(): ValidationError {
  const msg = 'Input should be next_cursor of a page of conversations'
  return new ValidationError([{ loc: ['query', 'cursor'], msg, type: 'value_error' }])
}
