// The store as the rest of the service sees it. It speaks of messages, not of SQL; every engine
// behind it passes the same contract suite (test/contract).
import type {
  IncomingMessage,
  InsertOutcome,
  Message,
  MessagePage,
  PageRequest,
  Stats,
} from '../model/message.ts'

export type InsertedBatch = {
  /** In the order of the messages that were inserted. */
  readonly outcomes: readonly InsertOutcome[]
  /** Time the transaction took, its commit included, in seconds. */
  readonly seconds: number
}

/** Messages, stored exactly once and durably, and what is asked of them. */
export interface MessageStore {
  /**
   * Stores a batch in one transaction and resolves when it is committed and fsynced. Rejects with
   * StoreUnavailableError or StoreFailedError; then nothing of the batch may be taken as stored.
   */
  insert(batch: readonly IncomingMessage[]): Promise<InsertedBatch>
  /** One page in the order (instant, message id). Rejects with AppError where it can't be read. */
  page(request: PageRequest): Promise<MessagePage>
  find(messageId: string): Promise<Message | null>
  stats(): Promise<Stats>
  /** Resolves when the writer answers and the schema is the one this version needs. */
  probe(): Promise<void>
  /** Bytes the database occupies on its disk. */
  sizeBytes(): Promise<number>
  /** Resolves with the reason once the store can't be trusted any more; never rejects. */
  readonly failed: Promise<StoreFailure>
  /** Finishes what was begun and releases every file and thread. Idempotent. */
  close(): Promise<void>
}

export type StoreFailure = { readonly reason: string }
