// What one webhook body holds, split into events. A message, a status or anything else that has
// happened: each is stored once, by its identity, and takes its place in one sequence.

import type { Contact, Identity } from './contact.ts'
import type { Content } from './content.ts'
import type { Instant } from './instant.ts'
import type { Message } from './message.ts'

export type Direction = 'inbound' | 'outbound'

/**
 * Where a message's id is unique. Echoes of what was sent from the phone app, and copies for an
 * application that is on standby while another one answers, may carry an id that arrives as a message
 * of its own too.
 */
export type Namespace = '' | 'echo' | 'standby'

/** What all events have. */
type Happening = {
  /** When it happened, by the event's own time; when it arrived, where it names none. */
  readonly instant: Instant
  /** The same in ISO 8601, as readers see it. */
  readonly ts: string
  /** The business number it is about; null where the payload names none. */
  readonly phoneNumberId: string | null
  /** The person it is about, apart from the business; null where the payload names none. */
  readonly contact: Identity | null
  /** Who that person was before: proof, in one payload, that two identities are one person. */
  readonly formerly?: Identity
}

/** A message. Its identity is (message id, namespace). */
export type MessageEvent = Happening & {
  readonly kind: 'message'
  readonly messageId: string
  readonly namespace: Namespace
  /** The provider's word for it: text, image, reaction… */
  readonly type: string
  readonly direction: Direction
  /** A phone number with `+`, else the BSUID or the id of the business number, else "". */
  readonly from: string
  readonly to: string
  /** What a person would search for; null where there is nothing to read. */
  readonly text: string | null
  /** Null where there is nothing beside the text. */
  readonly content: Content | null
}

/**
 * Something that happened to a message: a status of it, an edit, its revocation. `messageId` is
 * the message it happened to, which may never have been seen.
 */
export type StatusEvent = Happening & {
  readonly kind: 'status'
  readonly messageId: string
  /** sent, delivered, read, played, failed, deleted, or another word. */
  readonly status: string
  /** Whom it is about in a group; "" elsewhere. Part of its identity (messageId, status, participant). */
  readonly participant: string
  /** The provider's item: errors, pricing, conversation… */
  readonly data: unknown
}

type EditEvent = Happening & {
  readonly kind: 'edit'
  readonly messageId: string
  /** The id of the edit itself, its identity. */
  readonly key: string
  /** What the message says from now on. */
  readonly text: string | null
  readonly data: unknown
}

type RevokeEvent = Happening & {
  readonly kind: 'revoke'
  readonly messageId: string
  /** The id of the revocation itself, its identity. */
  readonly key: string
  readonly data: unknown
}

/** The kinds of everything else; `unknown` is what no rule of ours describes. */
export const OTHER_KINDS = [
  'call',
  'group',
  'preference',
  'identity',
  'address_book',
  'history',
  'template',
  'account',
  'flow',
  'handover',
  'conversion',
  'click',
  'error',
  'unknown',
] as const
export type OtherKind = (typeof OTHER_KINDS)[number]

/** Everything else, kept as the provider gave it. */
export type OtherEvent = Happening & {
  readonly kind: OtherKind
  /** Set by the store alone, in the event it adds when a placeholder gets its content: that message. */
  readonly messageId?: string
  /** What makes it unique among its kind; null: two that look the same are two. */
  readonly key: string | null
  /** The provider's word for what it is: the field, and a type where there is one. */
  readonly type: string
  readonly data: unknown
}

export type IncomingEvent = MessageEvent | StatusEvent | EditEvent | RevokeEvent | OtherEvent
export type EventKind = IncomingEvent['kind']

/** Which format a body had and who vouched for it. */
export type ProviderName = 'flat' | 'cloud-api'

/**
 * The sets of rules that bodies were ever split into events by, newest first. What arrives is read
 * by the first; what an earlier version stored is still found in its body by one of the others. So
 * whoever changes what is read adds a set, and leaves the others as they are.
 */
export const RULES = [3, 2, 1] as const
export type Rules = (typeof RULES)[number]
/** The rules of today. */
export const CURRENT_RULES = RULES[0]

/** One accepted webhook request: its body, byte for byte, and the events that were in it. */
export type Intake = {
  readonly provider: ProviderName
  readonly body: Uint8Array
  /** The headers that matter, by lower-case name; never a signature or a secret. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds since 1970, UTC. */
  readonly receivedAt: number
  readonly events: readonly IncomingEvent[]
}

/** Anything but a message, as it is stored. */
export type StoredEvent = {
  readonly seq: number
  readonly kind: Exclude<EventKind, 'message'>
  /** Of a status, the status; else the provider's word for what it is. */
  readonly type: string
  readonly key: string | null
  readonly provider: ProviderName
  readonly intake: number
  readonly messageId: string | null
  readonly participant: string | null
  readonly contact: Contact | null
  readonly phoneNumberId: string | null
  readonly ts: string
  readonly instant: Instant
  readonly text: string | null
  readonly data: unknown
  /** Milliseconds since 1970, UTC. */
  readonly receivedAt: number
}

/** One entry of the committed sequence. */
export type SequenceEntry =
  | { readonly kind: 'message'; readonly intake: number; readonly message: Message }
  | { readonly kind: 'event'; readonly event: StoredEvent }

/** Which entries of the sequence a reader asks for. An absent field filters nothing. */
export type EventFilter = {
  readonly kinds?: readonly EventKind[]
  readonly contact?: string
  readonly phoneNumberId?: string
  /** A message, with what happened to it and the reactions to it. */
  readonly messageId?: string
}

/** A part of the sequence, in its order. */
export type SequencePage = {
  readonly entries: readonly SequenceEntry[]
  /** Where the next part begins: every entry up to here was seen. */
  readonly next: number
  /** Whether there may be more behind it already. */
  readonly more: boolean
  /** The last number that was given. Who has seen a higher one has read another sequence than this. */
  readonly last: number
}

/** An accepted webhook request without its body. */
export type IntakeFacts = {
  readonly id: number
  readonly provider: ProviderName
  readonly receivedAt: number
  /** Hex, of the raw body. */
  readonly sha256: string
  /** The length of the raw body. */
  readonly bytes: number
  readonly headers: Readonly<Record<string, string>>
}
