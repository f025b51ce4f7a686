// The thread for searches, which can take long, and for the index that makes most of them short.
import type { PageRequest } from '../../model/message.ts'
import { Indexer } from './indexer.ts'
import { Reader } from './reader.ts'
import { serveThread } from './thread.ts'

let reader: Reader
let indexer: Indexer

const methods = {
  open: (files: { messages: string; search: string }): void => {
    indexer = new Indexer(files)
    reader = new Reader(files)
  },
  page: (request: PageRequest) => reader.page(request),
  indexChunk: (_: null) => indexer.indexChunk(),
  close: (_: null): void => {
    reader.close()
    indexer.close()
  },
}

export type SearchMethods = typeof methods

serveThread(methods)
