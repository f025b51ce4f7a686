// A thread with a read connection.
import type { PageRequest } from '../../model/message.ts'
import { Reader } from './reader.ts'
import { serveThread } from './thread.ts'

let reader: Reader

const methods = {
  open: (files: { messages: string; search: string }): void => {
    reader = new Reader(files)
  },
  page: (request: PageRequest) => reader.page(request),
  find: (messageId: string) => reader.find(messageId),
  stats: (_: null) => reader.stats(),
  close: (_: null) => reader.close(),
}

export type ReaderMethods = typeof methods

serveThread(methods)
