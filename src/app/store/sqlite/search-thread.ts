// The thread for what can take long and must delay no commit: searches, the index that makes most
// of them short, and copying the log into the database file.
import { constants, getPriority, setPriority } from 'node:os'
import type { DatabaseSync } from 'node:sqlite'
import type { PageRequest } from '../../model/message.ts'
import { checkpoint, flush, openCheckpointer } from './connection.ts'
import { Indexer } from './indexer.ts'
import { Reader } from './reader.ts'
import { serveThread } from './thread.ts'

let reader: Reader
let indexer: Indexer
let checkpointer: DatabaseSync
/** Of the database file, for fsyncs; SqliteStore opened it and closes it last. */
let databaseHandle: number

const methods = {
  open: ({ handle, ...files }: { messages: string; search: string; handle: number }): void => {
    indexer = new Indexer(files)
    reader = new Reader(files)
    checkpointer = openCheckpointer(files.messages)
    databaseHandle = handle
  },
  page: (request: PageRequest) => reader.page(request),
  indexChunk: (_: null) => indexer.indexChunk(),
  checkpoint: (_: null): void => {
    checkpoint(checkpointer)
    flush(databaseHandle)
  },
  close: (_: null): void => {
    checkpointer.close()
    reader.close()
    indexer.close()
  },
}

export type SearchMethods = typeof methods

/**
 * Where processors are scarce, whoever stores goes first. On Linux each thread has a priority of its own
 * (setpriority(2)); elsewhere this would be the whole process's.
 */
function goLast(): void {
  if (process.platform !== 'linux') return
  try {
    const { PRIORITY_BELOW_NORMAL, PRIORITY_LOW } = constants.priority
    setPriority(0, Math.min(getPriority() + PRIORITY_BELOW_NORMAL, PRIORITY_LOW))
  } catch {
    // A sandbox may forbid it, and everything works without.
  }
}

goLast()
serveThread(methods)
