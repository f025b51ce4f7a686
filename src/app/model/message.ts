// Messages as they are stored and read: one, lists of them, what statistics say of them.
import type { Contact } from './contact.ts'
import type { Content } from './content.ts'
import type { Direction, Namespace, ProviderName, StoredEvent } from './event.ts'
import type { Instant } from './instant.ts'

/** A message as a reader sees it. `ts` is exactly what the sender wrote. */
export type Message = {
  /** Its place in the sequence of everything that was committed. */
  readonly seq: number
  readonly messageId: string
  readonly namespace: Namespace
  readonly provider: ProviderName
  readonly type: string
  readonly direction: Direction
  readonly from: string
  readonly to: string
  readonly contact: Contact | null
  readonly phoneNumberId: string | null
  readonly ts: string
  readonly instant: Instant
  /** What it says now: after an edit the new text, after its revocation null. */
  readonly text: string | null
  readonly edited: boolean
  readonly revoked: boolean
  readonly content: Content | null
  /** The status that counts now; null where none is known. */
  readonly status: string | null
  /** Milliseconds since 1970, UTC. */
  readonly receivedAt: number
}

/** What happened to a message, in lists of which an answer holds the latest entries. */
export type DetailList = 'statuses' | 'edits' | 'reactions'

/** A message with what happened to it, each list in the order in which it happened. */
export type MessageDetail = {
  readonly message: Message
  /** What it said at first. */
  readonly originalText: string | null
  /** Statuses, edits and the first revocation. */
  readonly events: readonly StoredEvent[]
  /** The reaction of each person that counts, itself a message: the last one. */
  readonly reactions: readonly Message[]
  /** The lists that lack earlier entries, since they would be too long. */
  readonly shortened: readonly DetailList[]
}

/**
 * What became of one event once its transaction was committed. `conflict` is a duplicate of a
 * message whose from, to, ts or text differs from what is stored; the first write wins, and the digests
 * (SHA-256 of the raw bodies, hex) let an operator tell the two apart; the first one is null once
 * the raw body has expired.
 */
export type InsertOutcome =
  | { readonly kind: 'created' }
  | { readonly kind: 'duplicate' }
  | {
      readonly kind: 'conflict'
      readonly storedSha256: string | null
      readonly receivedSha256: string
    }

/** Which messages a reader asks for. An absent field filters nothing. */
export type MessageFilter = {
  readonly from?: string
  readonly to?: string
  readonly type?: string
  readonly direction?: Direction
  /** The status that counts now. */
  readonly status?: string
  /** A phone number, a BSUID or a username. */
  readonly contact?: string
  readonly phoneNumberId?: string
  /** Inclusive. */
  readonly since?: Instant
  /** Exclusive. */
  readonly until?: Instant
  /** A substring of the text, already folded (see fold.ts). */
  readonly search?: string
}

/** A place between two messages in the order (instant, message id, seq). */
export type Position = {
  readonly instant: Instant
  readonly messageId: string
  readonly seq: number
}

export type Order = 'asc' | 'desc'

export type PageRequest = {
  readonly filter: MessageFilter
  readonly order: Order
  /** 1 to 100 messages. A page has fewer where they are large. */
  readonly limit: number
  /** Messages to skip, counted from `after` or from the start. */
  readonly offset: number
  /** Only messages behind this position, in the given order. */
  readonly after?: Position
}

export type MessagePage = {
  readonly messages: readonly Message[]
  /** Messages that match the filter, on all pages together. */
  readonly total: number
  /** Where the next page begins; null on the last one. */
  readonly next: Position | null
}

export type Stats = {
  readonly totalMessages: number
  readonly sendersCount: number
  /** The ten busiest senders: count descending, then sender ascending. */
  readonly topSenders: readonly { readonly from: string; readonly count: number }[]
  readonly firstMessageTs: string | null
  readonly lastMessageTs: string | null
  readonly messagesByType: Readonly<Record<string, number>>
  /** By the UTC day of their own time, `YYYY-MM-DD`; the latest 31 days that have any. */
  readonly messagesByDay: Readonly<Record<string, number>>
  /** Messages that statuses are known of, by the one that counts now. */
  readonly messagesByStatus: Readonly<Record<string, number>>
  readonly eventsByKind: Readonly<Record<string, number>>
}

/** A person and their messages, summed up. */
type Conversation = {
  readonly contact: Contact
  readonly messages: number
  readonly last: Message
}

/** A place between two conversations in the order (newest message, contact key), newest first. */
export type ConversationPosition = { readonly instant: Instant; readonly key: string }

export type ConversationPage = {
  readonly conversations: readonly Conversation[]
  readonly next: ConversationPosition | null
}
