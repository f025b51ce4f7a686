// The shapes of what sums messages up: conversations and statistics.
import Type, { type Static } from 'typebox'
import {
  CONTACT,
  contactShape,
  MessageBody,
  nullableText,
  SHORTER_PAGE,
  STORED_MESSAGE,
  text,
} from './message-types.ts'

export const ConversationParams = Type.Object({
  contact: Type.String({
    minLength: 1,
    description: 'A phone number with or without `+`, a BSUID or a username, percent-encoded.',
    examples: ['+14155550100'],
  }),
})
export type ConversationParams = Static<typeof ConversationParams>

export const ConversationsQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 50,
      description: `People on a page at most. ${SHORTER_PAGE}`,
    }),
  ),
  cursor: Type.Optional(text('`next_cursor` of the page before.', 'WyJ4Il0')),
})
export type ConversationsQuery = Static<typeof ConversationsQuery> & { limit: number }

export const ConversationList = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        contact: contactShape,
        messages: Type.Integer({ description: 'With this person, in both directions.' }),
        last_activity: Type.String({ description: 'When the newest message was sent.' }),
        last_message: MessageBody,
      }),
    ),
    limit: Type.Integer(),
    next_cursor: nullableText(
      'Send it as `cursor` for the next page; null on the last.',
      'WyJ4Il0',
    ),
  },
  {
    description: 'People by their newest message, the newest first.',
    examples: [
      {
        data: [
          {
            contact: CONTACT,
            messages: 1,
            last_activity: STORED_MESSAGE.ts,
            last_message: STORED_MESSAGE,
          },
        ],
        limit: 50,
        next_cursor: null,
      },
    ],
  },
)

const counts = (description: string) =>
  Type.Unsafe<Record<string, number>>({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description,
  })

const timestamp = (description: string) => nullableText(description, STORED_MESSAGE.ts)

export const StatsBody = Type.Object(
  {
    total_messages: Type.Integer(),
    senders_count: Type.Integer(),
    messages_per_sender: Type.Array(Type.Object({ from: Type.String(), count: Type.Integer() }), {
      description: 'The ten busiest senders: by count descending, then by number.',
    }),
    first_message_ts: timestamp('Of the earliest message, as it was sent; null without any.'),
    last_message_ts: timestamp('Of the latest message, as it was sent; null without any.'),
    messages_by_type: counts('Messages by their type; at most 1000 types.'),
    messages_by_day: counts('Messages by the UTC day of their own time; the latest 31 days.'),
    messages_by_status: counts(
      'Messages with a status, by the one that counts now; also those that were never stored, such as what was sent from elsewhere. At most 1000 statuses.',
    ),
    events_by_kind: counts('Everything in the sequence, by kind.'),
  },
  {
    description: 'What is stored, counted.',
    examples: [
      {
        total_messages: 3,
        senders_count: 2,
        messages_per_sender: [
          { from: '+14155550100', count: 2 },
          { from: '+14155550102', count: 1 },
        ],
        first_message_ts: '2025-01-15T10:00:00Z',
        last_message_ts: '2025-01-15T12:30:00Z',
        messages_by_type: { text: 3 },
        messages_by_day: { '2025-01-15': 3 },
        messages_by_status: { read: 1 },
        events_by_kind: { message: 3, status: 2 },
      },
    ],
  },
)
