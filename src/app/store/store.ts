// The store as the rest of the service sees it. It speaks of messages, not of SQL; every engine
// behind it passes the same contract suite (test/contract).
import type { KnownAs } from '../model/contact.ts'
import type { EventFilter, Intake, IntakeFacts, SequencePage } from '../model/event.ts'
import type {
  ConversationPage,
  ConversationPosition,
  InsertOutcome,
  MessageDetail,
  MessagePage,
  PageRequest,
  Stats,
} from '../model/message.ts'

export type InsertedBatch = {
  /** Of each intake in the batch, what became of each of its events, both in order. */
  readonly outcomes: readonly (readonly InsertOutcome[])[]
  /** Time the transaction took, its commit included, in seconds. */
  readonly seconds: number
}

/** What became of a part of the expiry: there may be more, there is none left, or something is in its way. */
export type ExpiryStep =
  | 'more'
  | 'done'
  | {
      /** What holds it up and what to do about it, in words that go on after "because". */
      readonly heldBy: string
      /** After how many ms to try again: the longer, the more a try costs whoever stores. */
      readonly againMs: number
    }

/** Events, stored exactly once and durably. */
interface IntakeStore {
  /**
   * Stores a batch in one transaction and resolves when it is committed and fsynced. When it rejects,
   * nothing of the batch may be taken as stored: with StoreUnavailableError or StoreFailedError for
   * want of the database; with any other error because of something in the batch, whose intakes may
   * then be stored one by one.
   */
  insert(batch: readonly Intake[]): Promise<InsertedBatch>
  /**
   * Deletes raw bodies that arrived before this moment (ms since 1970), a part at a time; the events
   * that were in them stay. Rejects as `insert` does for want of the database.
   */
  expireIntakes(before: number): Promise<ExpiryStep>
}

/**
 * What is asked of messages. Each rejects with AppError where it can't be read. A list ends before it
 * would hold more than 8 MiB, with one entry at least.
 */
export interface MessageReader {
  /** One page in the order (instant, message id, seq). */
  page(request: PageRequest): Promise<MessagePage>
  /** The message with this id, a received one before an echo, with what happened to it. */
  find(messageId: string): Promise<MessageDetail | null>
  /** People by their newest message, newest first: up to `limit` behind `after`. */
  conversations(request: ConversationRequest): Promise<ConversationPage>
  stats(): Promise<Stats>
}

export type ConversationRequest = {
  readonly limit: number
  readonly after?: ConversationPosition
}

/** What is asked of the committed sequence. Each rejects with AppError where it can't be read. */
export interface SequenceReader {
  /**
   * Up to `limit` matching entries behind `after`, in the order of the sequence; as in every list,
   * fewer, but one at least, where they would hold more than 8 MiB.
   */
  eventsAfter(request: SequenceRequest): Promise<SequencePage>
  /** How far the sequence can be read; 0 before the first entry. */
  lastSeq(): Promise<number>
  /** Every address that the people with these keys were seen under. */
  addressesOf(keys: readonly string[]): Promise<readonly KnownAs[]>
  /** An accepted request without its body; null where it is unknown or its body has expired. */
  intake(id: number): Promise<IntakeFacts | null>
  /** The raw body, byte for byte; null where it is unknown or has expired. */
  rawBody(id: number): Promise<Uint8Array | null>
}

export type SequenceRequest = {
  readonly filter: EventFilter
  readonly after: number
  readonly limit: number
}

/** One database, whatever the engine. */
export interface MessageStore extends IntakeStore, MessageReader, SequenceReader {
  /**
   * Resolves when the writer answers, the schema is the one this version needs, and nothing is known
   * that keeps messages from being stored.
   */
  probe(): Promise<void>
  /** Bytes the database occupies on its disk. */
  sizeBytes(): Promise<number>
  /** Resolves with the reason once the store can't be trusted any more; never rejects. */
  readonly failed: Promise<StoreFailure>
  /** Finishes what was begun and releases every file and thread. Idempotent. */
  close(): Promise<void>
}

export type StoreFailure = { readonly reason: string }
