// The thread for what can take long and must delay no commit: searches, the index that makes most
// of them short, and copying the log into the database file.
import type { DatabaseSync } from 'node:sqlite'
import type { PageRequest } from '../../model/message.ts'
import { checkpoint, flush, openCheckpointer } from './connection.ts'
import { Indexer } from './indexer.ts'
import { Reader } from './reader.ts'
import { serveThread } from './thread.ts'

let reader: Reader
let indexer: Indexer
let checkpointer: DatabaseSync
/** Stays open until every connection is closed, see SqliteStore. */
let database: number

const methods = {
  open: ({ handle, ...files }: { messages: string; search: string; handle: number }): void => {
    indexer = new Indexer(files)
    reader = new Reader(files)
    checkpointer = openCheckpointer(files.messages)
    database = handle
  },
  page: (request: PageRequest) => reader.page(request),
  indexChunk: (_: null) => indexer.indexChunk(),
  checkpoint: (_: null): void => {
    checkpoint(checkpointer)
    flush(database)
  },
  close: (_: null): void => {
    checkpointer.close()
    reader.close()
    indexer.close()
  },
}

export type SearchMethods = typeof methods

serveThread(methods)
