// Messages as they enter the store.
import { setTimeout as delay } from 'node:timers/promises'
import { StoreUnavailableError } from '../../src/app/errors.ts'
import type { Intake, MessageEvent } from '../../src/app/model/event.ts'
import { parseTimestamp } from '../../src/app/model/instant.ts'
import type { InsertOutcome, MessageDetail, MessagePage } from '../../src/app/model/message.ts'
import type { MessageStore } from '../../src/app/store/store.ts'

/** The five fields by which every client knows a message. */
export type Shown = Pick<MessageEvent, 'messageId' | 'from' | 'to' | 'ts' | 'text'>
/** A message in the flat format, with the body it came in. */
export type AMessage = MessageEvent & { readonly body: Uint8Array }
type Overrides = Partial<Shown> & { readonly body?: Uint8Array }

/** How often a sender sends again what could not be stored just now, and how long it waits before. */
const SENT_AGAIN = 20
const BEFORE_IT_MS = 100

let messages = 0

/** A valid message with an id of its own; its instant is the one that `ts` names. */
export function aMessage({ body, ...overrides }: Overrides = {}): AMessage {
  const message: Shown = {
    messageId: `m-${++messages}`,
    from: '+4915112345678',
    to: '+14155550100',
    ts: '2025-01-15T10:00:00Z',
    text: 'Hello',
    ...overrides,
  }
  const instant = parseTimestamp(message.ts)
  if (instant === null) throw new Error(`A message needs an existing instant, not ${message.ts}.`)
  return {
    kind: 'message',
    namespace: '',
    type: 'text',
    direction: 'inbound',
    phoneNumberId: null,
    contact: {
      phone: message.from,
      userId: null,
      parentUserId: null,
      username: null,
      name: null,
    },
    content: null,
    ...message,
    instant,
    body: body ?? Buffer.from(JSON.stringify(message)),
  }
}

/** The request that brings a message. */
export function intakeOf({ body, ...event }: AMessage): Intake {
  return { provider: 'flat', body, headers: {}, receivedAt: Date.now(), events: [event] }
}

/** Stores messages in one transaction, each as a request of its own. */
export async function insertAll(
  store: Pick<MessageStore, 'insert'>,
  batch: readonly AMessage[],
): Promise<InsertOutcome[]> {
  return (await store.insert(batch.map(intakeOf))).outcomes.flat()
}

/** The same as a sender does it: nothing was stored of what could not be just now, so it comes again. */
export async function sendAll(
  store: Pick<MessageStore, 'insert'>,
  batch: readonly AMessage[],
): Promise<InsertOutcome[]> {
  for (let again = 0; ; again++) {
    try {
      return await insertAll(store, batch)
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || again === SENT_AGAIN) throw error
    }
    await delay(BEFORE_IT_MS)
  }
}

/** What a reader sees of it, in five fields. */
export function asShown({ messageId, from, to, ts, text }: Shown): Shown {
  return { messageId, from, to, ts, text }
}

/** What a reader sees of a message that was looked up. */
export function shown(detail: MessageDetail | null): Shown | null {
  return detail === null ? null : asShown(detail.message)
}

/** A page in five fields a message. */
export function shownPage({ messages, total, next }: MessagePage) {
  return {
    messages: messages.map(asShown),
    total,
    next: next === null ? null : { instant: next.instant, messageId: next.messageId },
  }
}
