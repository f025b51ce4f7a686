// What the service is about. Pure types: every stage knows them, they know no stage.
import type { Instant } from './instant.ts'

/** A message as a reader sees it. `ts` is exactly what the sender wrote. */
export type Message = {
  readonly messageId: string
  readonly from: string
  readonly to: string
  readonly ts: string
  readonly text: string | null
}

/** A message as it enters the store, with the bytes it arrived in. */
export type IncomingMessage = Message & {
  readonly instant: Instant
  /** The raw request body, byte for byte as it was signed. */
  readonly body: Uint8Array
}

/**
 * What became of one incoming message once its transaction was committed.
 * `conflict` is a duplicate whose content differs from what is stored; the first write wins, and
 * the digests (SHA-256 of the raw bodies, hex) let an operator tell the two apart.
 */
export type InsertOutcome =
  | { readonly kind: 'created' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'conflict'; readonly storedSha256: string; readonly receivedSha256: string }

/** Which messages a reader asks for. An absent field filters nothing. */
export type MessageFilter = {
  readonly from?: string
  readonly to?: string
  /** Inclusive. */
  readonly since?: Instant
  /** Exclusive. */
  readonly until?: Instant
  /** A substring of the text, already folded (see fold.ts). */
  readonly search?: string
}

/** A place between two messages in the order (instant, message id). */
export type Position = { readonly instant: Instant; readonly messageId: string }

export type Order = 'asc' | 'desc'

export type PageRequest = {
  readonly filter: MessageFilter
  readonly order: Order
  /** 1 to 100 messages. */
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
}
