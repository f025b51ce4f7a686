// The thread that keeps the search index up to date.
import { Indexer } from './indexer.ts'
import { serveThread } from './thread.ts'

let indexer: Indexer

const methods = {
  open: (files: { messages: string; search: string }): void => {
    indexer = new Indexer(files)
  },
  indexChunk: (_: null) => indexer.indexChunk(),
  close: (_: null) => indexer.close(),
}

export type IndexerMethods = typeof methods

serveThread(methods)
