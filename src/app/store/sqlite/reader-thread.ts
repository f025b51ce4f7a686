// A thread that reads: lists, single messages, statistics, the sequence.
import type { DatabaseSync } from 'node:sqlite'
import type { PageRequest } from '../../model/message.ts'
import type { ConversationRequest, SequenceRequest } from '../store.ts'
import { openReader } from './connection.ts'
import { findIntake, readRawBody } from './intakes.ts'
import { Reader } from './reader.ts'
import { SequenceReader } from './sequence-reader.ts'
import { serveThread } from './thread.ts'

let reader: Reader
let database: DatabaseSync
let sequence: SequenceReader

const methods = {
  open: (files: { messages: string; search: string }): void => {
    reader = new Reader(files)
    database = openReader(files.messages)
    sequence = new SequenceReader(database)
  },
  page: (request: PageRequest) => reader.page(request),
  find: (messageId: string) => reader.find(messageId),
  conversations: (request: ConversationRequest) => reader.conversations(request),
  stats: (_: null) => reader.stats(),
  eventsAfter: (request: SequenceRequest) => sequence.eventsAfter(request),
  lastSeq: (_: null) => sequence.lastSeq(),
  addressesOf: (keys: readonly string[]) => sequence.addressesOf(keys),
  intake: (id: number) => findIntake(database, id),
  rawBody: (id: number) => readRawBody(database, id),
  close: (_: null): void => {
    reader.close()
    database.close()
  },
}

export type ReaderMethods = typeof methods

serveThread(methods)
