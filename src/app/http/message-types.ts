// The shapes of messages, of one with what happened to it, and of lists of them.
import Type, { type Static } from 'typebox'

/** A text with an example. */
export const text = (description: string, example: string) =>
  Type.String({ description, examples: [example] })

/** A text that may be null, with an example. */
export const nullableText = (description: string, example: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description, examples: [example] })

const flag = (description: string) => Type.Boolean({ description })
const part = (description: string) =>
  Type.Unsafe<unknown>({ type: ['object', 'null'], additionalProperties: true, description })

/** Said of every list that is read in pages. */
export const SHORTER_PAGE =
  'A page may be shorter: it ends before it would hold more than 8 MiB of stored text, but has one entry at least.'

/** Said of every list of what happened to a message. */
const LATEST = 'The latest 1000 at most, and no more than 8 MiB of stored text, but one at least.'

const MESSAGE_ID = 'wamid.HBgLMTQxNTU1NTAxMDA'
export const CONTACT = {
  key: 'US.13491208655302741918',
  phone: '+14155550100',
  user_id: 'US.13491208655302741918',
  parent_user_id: null,
  username: 'sample',
  name: 'Sample Name',
}
export const STORED_MESSAGE = {
  message_id: MESSAGE_ID,
  from: '+14155550100',
  to: '+14155550101',
  ts: '2025-01-15T10:00:00Z',
  text: 'Hello',
  type: 'text',
  direction: 'inbound',
  contact: CONTACT,
  status: null,
  media: null,
  context: null,
  content: null,
  business_phone_number_id: '106540352242922',
  provider: 'cloud-api',
  namespace: '',
  edited: false,
  revoked: false,
  received_at: '2025-01-15T10:00:01.250Z',
  stale: false,
  seq: 41,
}

export const contactShape = Type.Unsafe<unknown>({
  type: ['object', 'null'],
  description: 'The person apart from the business; null where the payload names none.',
  properties: Object.fromEntries(
    Object.keys(CONTACT).map((name) => [
      name,
      { type: name === 'key' ? 'string' : ['string', 'null'] },
    ]),
  ),
  examples: [CONTACT],
})

export const MessageBody = Type.Object(
  {
    message_id: text('The id the sender gave it.', MESSAGE_ID),
    from: text('The sender: `+` and digits, else an id, else empty.', '+14155550100'),
    to: text('The recipient: `+` and digits, else an id, else empty.', '+14155550101'),
    ts: text(
      'When it was sent; in the flat format exactly as the sender wrote it.',
      STORED_MESSAGE.ts,
    ),
    text: nullableText('What it says now; null where there is no text, or not any more.', 'Hello'),
    type: text("The provider's word: text, image, reaction…", 'text'),
    direction: text('`inbound` or `outbound`.', 'inbound'),
    contact: contactShape,
    status: nullableText('The status that counts now; null where none is known.', 'read'),
    media: part(
      'The file it came with, where there is one: that of an edit is in `edits`. Without its caption once the message was revoked.',
    ),
    context: part('What it replies to, whether it was forwarded, the ad it came from.'),
    content: part(
      'What else it holds, under the name of its type, as the provider sent it; fields without a place of their own are in `extra`, those of its contact in `extra.contact`. Of a reaction that was revoked `emoji` is null.',
    ),
    business_phone_number_id: nullableText('The business number.', '106540352242922'),
    provider: text('The format it came in.', 'cloud-api'),
    namespace: text('Empty, or `echo` or `standby` for a copy with an id of its own kind.', ''),
    edited: flag('Whether `text` is that of an edit.'),
    revoked: flag('Whether its sender took it back.'),
    received_at: text('When it arrived.', STORED_MESSAGE.received_at),
    stale: flag('It arrived more than an hour late.'),
    seq: Type.Integer({ description: 'Its place in the sequence of /events.', examples: [41] }),
  },
  { description: 'A stored message.', examples: [STORED_MESSAGE] },
)

const list = (shape: Record<string, unknown>, description: string) =>
  Type.Unsafe<unknown[]>({
    type: 'array',
    items: { type: 'object', properties: shape, required: Object.keys(shape) },
    description,
  })
const string = { type: 'string' }
const nullableString = { type: ['string', 'null'] }
const integer = { type: 'integer' }

export const MessageDetailBody = Type.Object(
  {
    ...MessageBody.properties,
    original_text: nullableText('What it said at first.', 'Hello'),
    statuses: list(
      { status: string, ts: string, participant: string, seq: integer, data: {} },
      `Its statuses, in the order in which they happened. ${LATEST}`,
    ),
    edits: list(
      {
        ...{ message_id: string, ts: string, text: nullableString },
        media: { type: ['object', 'null'], additionalProperties: true },
        seq: integer,
      },
      `Its edits, in the order in which they happened, each with the file it came with. The last one is what \`text\` says, unless it was revoked; of those of one moment the one whose id sorts last. ${LATEST}`,
    ),
    revocation: Type.Unsafe<unknown>({
      type: ['object', 'null'],
      properties: { message_id: string, ts: string, seq: integer },
      description: 'That its sender took it back; else null.',
    }),
    reactions: list(
      { message_id: string, from: string, emoji: nullableString, ts: string },
      `The reaction of each person that counts now, in the order in which they happened; \`emoji\` is null of one that was removed or revoked. ${LATEST}`,
    ),
    shortened: Type.Unsafe<readonly string[]>({
      type: 'array',
      items: { type: 'string', enum: ['statuses', 'edits', 'reactions'] },
      description: 'The lists that lack earlier entries, which `/events?message_id=` has.',
    }),
  },
  {
    description: 'A stored message, with what happened to it.',
    examples: [
      {
        ...STORED_MESSAGE,
        original_text: 'Hello',
        statuses: [],
        edits: [],
        revocation: null,
        reactions: [],
        shortened: [],
      },
    ],
  },
)

export const MessagesQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 50,
      description: `Messages on a page at most. ${SHORTER_PAGE}`,
    }),
  ),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      default: 0,
      description:
        'Messages to skip: as many as were on the pages before, which may be fewer than `limit` on each. For many pages, `cursor` is faster.',
    }),
  ),
  from: Type.Optional(text('Only from this sender, exactly.', '+14155550100')),
  to: Type.Optional(text('Only to this recipient, exactly.', '+14155550101')),
  type: Type.Optional(text('Only messages of this type.', 'image')),
  direction: Type.Optional(
    Type.Unsafe<'inbound' | 'outbound'>({
      type: 'string',
      enum: ['inbound', 'outbound'],
      description: 'Only what came in, or only what was sent.',
      examples: ['inbound'],
    }),
  ),
  status: Type.Optional(text('Only messages whose status is this one now.', 'delivered')),
  contact: Type.Optional(
    text(
      'Only with this person: a phone number with or without `+`, a BSUID or a username.',
      '+14155550100',
    ),
  ),
  phone_number_id: Type.Optional(text('Only of this business number.', '106540352242922')),
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
/** Of a conversation, whose path says with whom. */
export const ConversationQuery = Type.Omit(MessagesQuery, ['contact'])
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
    examples: [{ data: [STORED_MESSAGE], total: 1, limit: 50, offset: 0, next_cursor: null }],
  },
)
