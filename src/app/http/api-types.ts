// The shapes of webhook requests, of health and of errors: one schema each for checking, types,
// serialising and the API description. Messages: message-types.ts; events: event-types.ts.
import Type, { type TObjectOptions } from 'typebox'
import { AppError, type ErrorCode } from '../errors.ts'

const MESSAGE_ID = 'wamid.HBgLMTQxNTU1NTAxMDA'
const FLAT_MESSAGE = {
  message_id: MESSAGE_ID,
  from: '+14155550100',
  to: '+14155550101',
  ts: '2025-01-15T10:00:00Z',
  text: 'Hello',
}

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
    examples: [FLAT_MESSAGE],
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

export const CloudApiBody = Type.Unsafe<unknown>({
  type: 'object',
  description: 'A batch as Meta sends it: entries, changes and their values.',
  examples: [
    {
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '102290129340398',
          changes: [
            {
              field: 'messages',
              value: {
                messaging_product: 'whatsapp',
                metadata: {
                  display_phone_number: '14155550101',
                  phone_number_id: '106540352242922',
                },
                contacts: [{ profile: { name: 'Sample Name' }, wa_id: '14155550100' }],
                messages: [
                  {
                    from: '14155550100',
                    id: MESSAGE_ID,
                    timestamp: '1736935200',
                    type: 'text',
                    text: { body: 'Hello' },
                  },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
})

export const CloudApiHeaders = Type.Object({
  'x-hub-signature-256': Type.Optional(
    Type.String({
      description: '`sha256=` and the hex of HMAC-SHA256(META_APP_SECRET, raw body bytes).',
      examples: ['sha256=3f0f9be1c2b4d5a697887766554433221100ffeeddccbbaa9988776655443322'],
    }),
  ),
})

export const Accepted = Type.Object(
  { status: Type.Literal('ok') },
  { description: 'It is stored durably, since now or before.', examples: [{ status: 'ok' }] },
)

export const LiveBody = Type.Object(
  { status: Type.Literal('ok') },
  { description: 'The process answers.', examples: [{ status: 'ok' }] },
)

const check = (...values: string[]) => Type.Unsafe<string>({ type: 'string', enum: values })

const readiness = (options: TObjectOptions) =>
  Type.Object(
    {
      status: check('ok', 'not ready'),
      checks: Type.Object({
        database: check('ok', 'failed'),
        webhook_secret: check('ok', 'not configured'),
      }),
    },
    options,
  )

export const ReadyBody = readiness({
  description: 'Messages are taken in.',
  examples: [{ status: 'ok', checks: { database: 'ok', webhook_secret: 'ok' } }],
})
const NOT_READY = {
  description: 'Messages cannot be taken in now.',
  examples: [{ status: 'not ready', checks: { database: 'failed', webhook_secret: 'ok' } }],
}

const detail = (example: string) =>
  Type.Object(
    { detail: Type.String() },
    { description: asMarkdown(example), examples: [{ detail: example }] },
  )

/** A quotation with a word in angle brackets as code: the pages would take that word for a tag. */
function asMarkdown(text: string): string {
  return text.replace(/"([^"]*<\w+>[^"]*)"/g, '`$1`')
}

const RETRY_AFTER = {
  'Retry-After': { type: 'integer', description: 'Seconds after which to try again.' },
}
/** An error in the words in which it is answered. */
export const answered = (code: ErrorCode) => detail(new AppError(code).detail)
/** An error that passes by itself. */
const passing = (code: ErrorCode) => ({ ...answered(code), headers: RETRY_AFTER })

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

/** Of every route, also of those that nothing else can keep from answering. */
export const SHUTTING_DOWN = passing('shutting_down')

/** What is wrong; or, where there is no time to look, as everywhere. */
export const NotReady = Type.Union([readiness(NOT_READY), answered('shutting_down')], NOT_READY)

/** Errors by status, for the routes that can answer with them. */
export const ERRORS = {
  400: answered('bad_request'),
  401: answered('invalid_signature'),
  403: answered('handshake_refused'),
  404: answered('message_not_found'),
  409: answered('position_unknown'),
  413: answered('body_too_large'),
  415: answered('encoded_body'),
  422: Problems,
  500: detail('Internal Server Error'),
  503: passing('overloaded'),
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

/** Errors of every route that needs a key. */
export const READ_ERRORS = {
  400: ERRORS[400],
  401: answered('unauthorized'),
  500: ERRORS[500],
  503: passing('reads_overloaded'),
} as const
