// The shapes of requests and answers: one schema each for checking, types, serialising and the
// API description.
import Type, { type Static } from 'typebox'

const text = (description: string, example: string) =>
  Type.String({ description, examples: [example] })

const nullableText = (description: string, example: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description, examples: [example] })

const MESSAGE_ID = 'wamid.HBgLMTQxNTU1NTAxMDA'
const MESSAGE = {
  message_id: MESSAGE_ID,
  from: '+14155550100',
  to: '+14155550101',
  ts: '2025-01-15T10:00:00Z',
  text: 'Hello',
}

export const MessageBody = Type.Object(
  {
    message_id: text('The id the sender gave it.', MESSAGE_ID),
    from: text('The sender: `+` and digits (E.164).', '+14155550100'),
    to: text('The recipient: `+` and digits (E.164).', '+14155550101'),
    ts: text('When it was sent, exactly as the sender wrote it.', '2025-01-15T10:00:00Z'),
    text: nullableText('The text; null where there is none.', 'Hello'),
  },
  { description: 'A stored message.', examples: [MESSAGE] },
)

export const WebhookBody = Type.Object(
  {
    message_id: Type.String({
      description:
        'Unique for ever: a later message with the same id is a duplicate. 1 to 255 code points.',
      minLength: 1,
      maxLength: 255,
      examples: [MESSAGE_ID],
    }),
    from: Type.String({ pattern: '^\\+[1-9][0-9]{1,14}$', examples: ['+14155550100'] }),
    to: Type.String({ pattern: '^\\+[1-9][0-9]{1,14}$', examples: ['+14155550101'] }),
    ts: Type.String({
      description: 'ISO 8601 in UTC, with `T`, seconds and `Z`; a fraction is optional.',
      examples: ['2025-01-15T10:00:00Z'],
    }),
    text: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        maxLength: 4096,
        examples: ['Hello'],
      }),
    ),
  },
  {
    description: 'One message. Unknown fields are ignored and kept in the stored raw body.',
    examples: [MESSAGE],
  },
)

export const WebhookHeaders = Type.Object({
  'x-signature': Type.Optional(
    Type.String({
      description:
        'Hex of HMAC-SHA256(WEBHOOK_SECRET, raw body bytes), either case, optionally after `sha256=`.',
      examples: ['3f0f9be1c2b4d5a697887766554433221100ffeeddccbbaa9988776655443322'],
    }),
  ),
})

export const Accepted = Type.Object(
  { status: Type.Literal('ok') },
  { description: 'It is stored durably, since now or before.', examples: [{ status: 'ok' }] },
)

export const MessagesQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, default: 50, description: 'Messages on a page.' }),
  ),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      default: 0,
      description: 'Messages to skip. For many pages, `cursor` is faster.',
    }),
  ),
  from: Type.Optional(text('Only from this sender, exactly.', '+14155550100')),
  to: Type.Optional(text('Only to this recipient, exactly.', '+14155550101')),
  since: Type.Optional(text('Only sent at this instant or later.', '2025-01-15T00:00:00Z')),
  until: Type.Optional(text('Only sent before this instant.', '2025-01-16T00:00:00+05:30')),
  q: Type.Optional(
    text('Only with this in the text, in upper or lower case. No character is special.', 'hello'),
  ),
  order: Type.Optional(
    Type.Unsafe<'asc' | 'desc'>({
      type: 'string',
      enum: ['asc', 'desc'],
      default: 'asc',
      description: 'Oldest or newest first.',
    }),
  ),
  cursor: Type.Optional(
    text('`next_cursor` of the page before, with the same filters and order.', 'WyJ4Il0'),
  ),
})
type WithDefault = 'limit' | 'offset' | 'order'
/** As validation hands it on: what has a default is there. */
export type MessagesQuery = Static<typeof MessagesQuery> &
  Required<Pick<Static<typeof MessagesQuery>, WithDefault>>

export const MessageParams = Type.Object({
  message_id: text('The id of the message, percent-encoded.', MESSAGE_ID),
})
export type MessageParams = Static<typeof MessageParams>

export const MessageList = Type.Object(
  {
    data: Type.Array(MessageBody),
    total: Type.Integer({ description: 'Messages that match the filters, on all pages.' }),
    limit: Type.Integer(),
    offset: Type.Integer(),
    next_cursor: nullableText(
      'Send it as `cursor` for the next page; null on the last.',
      'WyJ4Il0',
    ),
  },
  {
    description: 'A page of messages.',
    examples: [{ data: [MESSAGE], total: 1, limit: 50, offset: 0, next_cursor: null }],
  },
)

const timestamp = (description: string) => nullableText(description, MESSAGE.ts)

export const StatsBody = Type.Object(
  {
    total_messages: Type.Integer(),
    senders_count: Type.Integer(),
    messages_per_sender: Type.Array(Type.Object({ from: Type.String(), count: Type.Integer() }), {
      description: 'The ten busiest senders: by count descending, then by number.',
    }),
    first_message_ts: timestamp('Of the earliest message, as it was sent; null without any.'),
    last_message_ts: timestamp('Of the latest message, as it was sent; null without any.'),
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
      },
    ],
  },
)

export const LiveBody = Type.Object(
  { status: Type.Literal('ok') },
  { description: 'The process answers.', examples: [{ status: 'ok' }] },
)

const check = (...values: string[]) => Type.Unsafe<string>({ type: 'string', enum: values })

const readiness = (description: string, status: string, database: string, secret: string) =>
  Type.Object(
    {
      status: check('ok', 'not ready'),
      checks: Type.Object({
        database: check('ok', 'failed'),
        webhook_secret: check('ok', 'not configured'),
      }),
    },
    { description, examples: [{ status, checks: { database, webhook_secret: secret } }] },
  )

export const ReadyBody = readiness('Messages are taken in.', 'ok', 'ok', 'ok')
export const NotReadyBody = readiness(
  'Messages can not be taken in now.',
  'not ready',
  'failed',
  'not configured',
)

const detail = (example: string) =>
  Type.Object({ detail: Type.String() }, { description: example, examples: [{ detail: example }] })

const RETRY_AFTER = {
  'Retry-After': { type: 'integer', description: 'Seconds after which to try again.' },
}
/** An error that passes by itself. */
const passing = (example: string) => ({ ...detail(example), headers: RETRY_AFTER })

const Problems = Type.Object(
  {
    detail: Type.Array(
      Type.Object({
        loc: Type.Array(Type.Unsafe<string | number>({ type: ['string', 'integer'] })),
        msg: Type.String(),
        type: Type.String(),
      }),
    ),
  },
  {
    description: 'What is wrong with the request, a problem an entry.',
    examples: [
      { detail: [{ loc: ['body', 'message_id'], msg: 'Field required', type: 'missing' }] },
    ],
  },
)

/** Errors by status, for the routes that can answer with them. */
export const ERRORS = {
  400: detail('The request is not valid HTTP/1.1.'),
  401: detail('invalid signature'),
  404: detail('No message has this id.'),
  413: detail('The body is larger than MAX_BODY_BYTES allows.'),
  415: detail('Send the body as it was signed, without a Content-Encoding.'),
  422: Problems,
  500: detail('Internal Server Error'),
  503: passing('Too many messages are waiting to be stored; send this one again later.'),
} as const

/** Errors of the routes that take messages in. */
export const WEBHOOK_ERRORS = {
  400: ERRORS[400],
  401: ERRORS[401],
  413: ERRORS[413],
  415: ERRORS[415],
  422: ERRORS[422],
  500: ERRORS[500],
  503: ERRORS[503],
} as const

const unauthorized = detail('This needs an API key: send "Authorization: Bearer <key>".')
/** Errors of every route that needs a key. */
export const READ_ERRORS = {
  400: ERRORS[400],
  401: unauthorized,
  500: ERRORS[500],
  503: passing('Too many queries are waiting; send this one again later.'),
} as const
