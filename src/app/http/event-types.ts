// The shapes of what is read of the sequence, of intakes and of what was refused.
import Type, { type Static } from 'typebox'
import { OTHER_KINDS } from '../model/event.ts'
import { CAUSES } from '../receive/advice.ts'
import { contactShape, MessageBody, SHORTER_PAGE } from './message-types.ts'

export const EVENT_KINDS = ['message', 'status', 'edit', 'revoke', ...OTHER_KINDS] as const

const nullable = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description })
const anything = (description: string) => Type.Unsafe<unknown>({ description })

const EXAMPLE = {
  seq: 42,
  kind: 'status',
  type: 'delivered',
  key: '["wamid.HBgLMTQxNTU1NTAxMDA","delivered",""]',
  message_id: 'wamid.HBgLMTQxNTU1NTAxMDA',
  ts: '2025-01-15T10:00:03Z',
  received_at: '2025-01-15T10:00:04.120Z',
  stale: false,
  provider: 'cloud-api',
  intake_id: 17,
  business_phone_number_id: '106540352242922',
  contact: null,
  participant: null,
  text: null,
  data: { id: 'wamid.HBgLMTQxNTU1NTAxMDA', status: 'delivered', timestamp: '1736935203' },
}

const EventBody = Type.Object(
  {
    seq: Type.Integer({ description: 'Its place in the sequence of everything committed.' }),
    kind: Type.String({ enum: [...EVENT_KINDS] }),
    type: Type.String({
      description: "The provider's word for what it is; of a status, the status.",
    }),
    key: nullable(
      'Its identity among its kind; null where it has none. Of a message its id, or `["id","namespace"]` of an echo, a copy in standby and an id that begins with `["`.',
    ),
    message_id: nullable('The message it is, or happened to.'),
    ts: Type.String({ description: 'When it happened.' }),
    received_at: Type.String({ description: 'When it arrived.' }),
    stale: Type.Boolean({ description: 'It arrived more than an hour late.' }),
    provider: Type.String(),
    intake_id: Type.Integer({ description: 'The request that brought it; see /intakes/{id}.' }),
    business_phone_number_id: nullable('The business number it is about.'),
    contact: contactShape,
    participant: nullable('Of a status in a group: whom it is about.'),
    text: nullable('Of a message: what it says now. Of an edit: what the message says since.'),
    message: Type.Optional(MessageBody),
    data: anything('What the provider sent; null of a message, which is in `message`.'),
  },
  { description: 'One entry of the sequence.', examples: [EXAMPLE] },
)

const AFTER = {
  minimum: 0,
  default: 0,
  description: 'Only what was committed behind this place; `next` or `seq` of what was read last.',
}

const FILTERS = {
  kind: Type.Optional(
    Type.String({
      description: `Only these kinds, separated by commas: ${EVENT_KINDS.join(', ')}.`,
      examples: ['message,status'],
    }),
  ),
  contact: Type.Optional(
    Type.String({
      description:
        'Only about this person: a phone number with or without `+`, a BSUID or a username.',
      examples: ['+14155550100'],
    }),
  ),
  phone_number_id: Type.Optional(
    Type.String({ description: 'Only about this business number.', examples: ['106540352242922'] }),
  ),
  message_id: Type.Optional(
    Type.String({
      description: 'Only this message, what happened to it and the reactions to it.',
      examples: ['wamid.HBgLMTQxNTU1NTAxMDA'],
    }),
  ),
}

export const EventsQuery = Type.Object({
  after: Type.Optional(Type.Integer(AFTER)),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 100,
      description: `Entries on a page at most. ${SHORTER_PAGE} Only an empty one is the last.`,
    }),
  ),
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 30,
      default: 0,
      description: 'Where there is nothing yet, seconds to wait for something.',
    }),
  ),
  ...FILTERS,
})
export type EventsQuery = Static<typeof EventsQuery> & {
  after: number
  limit: number
  wait: number
}

export const StreamQuery = Type.Object({
  after: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'Begin behind this place; without it, with what comes from now on.',
      examples: [42],
    }),
  ),
  ...FILTERS,
})
export type StreamQuery = Static<typeof StreamQuery>

export const StreamHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      description: 'The `id` that was read last; it takes precedence over `after`.',
      examples: ['42'],
    }),
  ),
})

export const EventList = Type.Object(
  {
    data: Type.Array(EventBody),
    next: Type.Integer({ description: 'Send it as `after` for what follows.' }),
  },
  { description: 'A part of the sequence.', examples: [{ data: [EXAMPLE], next: 42 }] },
)

export const IntakeParams = Type.Object({
  id: Type.Integer({ minimum: 1, description: 'The number of the intake.', examples: [17] }),
})
export type IntakeParams = Static<typeof IntakeParams>

export const IntakeBody = Type.Object(
  {
    id: Type.Integer(),
    provider: Type.String(),
    received_at: Type.String(),
    sha256: Type.String({ description: 'Hex, of the raw body.' }),
    bytes: Type.Integer({ description: 'The length of the raw body.' }),
    headers: Type.Unsafe<Record<string, string>>({
      type: 'object',
      additionalProperties: { type: 'string' },
    }),
  },
  {
    description: 'An accepted webhook request.',
    examples: [
      {
        id: 17,
        provider: 'cloud-api',
        received_at: '2025-01-15T10:00:04.120Z',
        sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        bytes: 512,
        headers: { 'user-agent': 'facebookexternalua' },
      },
    ],
  },
)

export const RejectionList = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        received_at: Type.String(),
        path: Type.String(),
        provider: Type.String({ description: 'Whose signature was expected.' }),
        cause: Type.String({ description: `The likely cause: ${CAUSES.join(', ')}.` }),
        advice: Type.String({ description: 'What to do about it.' }),
        bytes: Type.Integer({ description: 'The length of the body.' }),
        sha256: Type.String({ description: 'Hex, of what was kept of the body.' }),
        body: Type.String({ description: 'What was kept of the body, up to 64 KiB, as text.' }),
      }),
    ),
  },
  {
    description: 'Requests whose signature did not hold, the newest first.',
    examples: [
      {
        data: [
          {
            received_at: '2025-01-15T10:00:04.120Z',
            path: '/webhook/cloud-api',
            provider: 'cloud-api',
            cause: 'wrong_secret',
            advice:
              'No configured secret gives this signature: compare META_APP_SECRET with the one in the dashboard of the app that sends (app settings, basic).',
            bytes: 2,
            sha256: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
            body: '{}',
          },
        ],
      },
    ],
  },
)

export const ProviderList = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        provider: Type.String(),
        configured: Type.Boolean({ description: 'Whether it has a secret.' }),
        last_accepted_at: nullable('The last request that was answered 200.'),
        last_rejected_at: nullable('The last request whose signature did not hold.'),
        last_handshake_at: nullable('The last time its callback URL was asked to confirm itself.'),
        last_handshake_ok: Type.Unsafe<boolean | null>({ type: ['boolean', 'null'] }),
      }),
    ),
  },
  {
    description:
      'What arrived since the service started, by provider. What the command `doctor` sends to see whether it gets through does not count.',
    examples: [
      {
        data: [
          {
            provider: 'cloud-api',
            configured: true,
            last_accepted_at: '2025-01-15T10:00:04.120Z',
            last_rejected_at: null,
            last_handshake_at: '2025-01-15T09:00:00.000Z',
            last_handshake_ok: true,
          },
        ],
      },
    ],
  },
)
