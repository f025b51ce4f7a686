// The threads that work on one SQLite file, and what keeps that file open beside them: made, opened and
// closed in the one order in which no lock and no log is lost.
import { closeSync, openSync, rmSync } from 'node:fs'
import { createPrivateFile, makePrivate } from './connection.ts'
import type { ReaderMethods } from './reader-thread.ts'
import { searchFileOf } from './search-index.ts'
import type { SearchMethods } from './search-thread.ts'
import { ThreadClient } from './thread.ts'
import type { WriterMethods } from './writer-thread.ts'

export type SqliteFiles = {
  readonly messages: string
  /** A directory to remove at the end; null to keep everything. */
  readonly directory: string | null
}

/** One thread writes, one lists, and one searches, indexes and copies the log. */
export class SqliteThreads {
  readonly writer = new ThreadClient<WriterMethods>(new URL('./writer-thread.ts', import.meta.url))
  readonly lists = new ThreadClient<ReaderMethods>(new URL('./reader-thread.ts', import.meta.url))
  readonly searches = new ThreadClient<SearchMethods>(
    new URL('./search-thread.ts', import.meta.url),
  )
  /** The databases; each has a log beside it. */
  readonly files: { readonly messages: string; readonly search: string }
  readonly #directory: string | null
  // For fsyncs beside the connections. Whichever thread closes such a handle takes every lock that
  // the process has on the file with it: this is the last one to be closed.
  #handle: number | null = null

  constructor({ messages, directory }: SqliteFiles) {
    this.files = { messages, search: searchFileOf(messages) }
    this.#directory = directory
  }

  /** Calls `told` with the reason when one of them ends, also when it was told to. */
  onEnd(told: (error: Error) => void): void {
    for (const thread of [this.writer, this.lists, this.searches]) void thread.ended.then(told)
  }

  async open(): Promise<void> {
    const { messages } = this.files
    createPrivateFile(messages)
    makePrivate(messages)
    await this.writer.call('open', { file: messages, isTemporary: this.#directory !== null })
    this.#handle = openSync(messages, 'r')
    await this.searches.call('open', { ...this.files, handle: this.#handle })
    await this.lists.call('open', this.files)
  }

  /**
   * The last connection to close folds the log into the database, unless it can only read: after a
   * failure the log is left to the next start, which looks at both before.
   */
  async close({ hasFailed }: { hasFailed: boolean }): Promise<void> {
    const [first, last] = hasFailed ? [this.writer, this.lists] : [this.lists, this.writer]
    for (const thread of [first, this.searches, last]) await thread.close()
    if (this.#handle !== null) closeSync(this.#handle)
    if (this.#directory !== null) rmSync(this.#directory, { recursive: true, force: true })
  }
}
