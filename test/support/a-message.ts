// Messages as they enter the store.
import { parseTimestamp } from '../../src/app/model/instant.ts'
import type { IncomingMessage, Message } from '../../src/app/model/message.ts'

type Overrides = Partial<Message> & { readonly body?: Uint8Array }

let messages = 0

/** A valid message with an id of its own; its instant is the one that `ts` names. */
export function aMessage({ body, ...overrides }: Overrides = {}): IncomingMessage {
  const message: Message = {
    messageId: `m-${++messages}`,
    from: '+4915112345678',
    to: '+14155550100',
    ts: '2025-01-15T10:00:00Z',
    text: 'Hello',
    ...overrides,
  }
  const instant = parseTimestamp(message.ts)
  if (instant === null) throw new Error(`A message needs an existing instant, not ${message.ts}.`)
  return { ...message, instant, body: body ?? Buffer.from(JSON.stringify(message)) }
}

/** What a reader sees of it. */
export function asShown({ messageId, from, to, ts, text }: Message): Message {
  return { messageId, from, to, ts, text }
}
