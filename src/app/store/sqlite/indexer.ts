// Keeps the search index up to date, on connections of its own: no acknowledgement waits for it.
import { rmSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { StoreFailedError } from '../../errors.ts'
import { fold } from '../../model/fold.ts'
import { createPrivateFile, makePrivate, openReader } from './connection.ts'
import { storeError } from './faults.ts'
import { createSearchIndex } from './search-index.ts'

const CHUNK = 500

type Row = { seq: number; text: string | null }
type State = { identity: string; watermark: number }
type Files = { readonly messages: string; readonly search: string }

/** Owns the write connection of the index. Every method is synchronous and blocks. */
export class Indexer {
  readonly #messages: DatabaseSync
  readonly #search: DatabaseSync
  readonly #nextMessages: StatementSync
  readonly #insert: StatementSync
  readonly #readState: StatementSync
  readonly #writeWatermark: StatementSync

  constructor(files: Files) {
    this.#messages = openReader(files.messages)
    this.#search = this.#openIndex(files.search)
    this.#nextMessages = this.#messages.prepare(
      'select seq, text from messages where seq > ? order by seq limit ?',
    )
    this.#insert = this.#search.prepare('insert into search (rowid, folded) values (?, ?)')
    this.#readState = this.#search.prepare('select identity, watermark from search_state')
    this.#writeWatermark = this.#search.prepare('update search_state set watermark = ?')
  }

  /** Indexes up to 500 messages in one transaction; returns how many are left to do. */
  indexChunk(): number {
    this.#search.exec('begin immediate')
    try {
      const { watermark } = this.#readState.get() as State
      const rows = this.#nextMessages.all(watermark, CHUNK) as Row[]
      for (const { seq, text } of rows) {
        if (text !== null) this.#insert.run(seq, fold(text))
      }
      const last = rows.at(-1)
      if (last !== undefined) this.#writeWatermark.run(last.seq)
      this.#search.exec('commit')
      return last === undefined ? 0 : this.#lastSeq() - last.seq
    } catch (error) {
      if (this.#search.isTransaction) this.#search.exec('rollback')
      throw error
    }
  }

  close(): void {
    this.#search.close()
    this.#messages.close()
  }

  /** Opens the index, or begins it anew where it is missing, damaged or of other messages. */
  #openIndex(file: string): DatabaseSync {
    const identity = this.#identity()
    try {
      const index = openIndexFile(file, identity)
      if (this.#belongs(index, identity)) return index
      index.close()
    } catch (error) {
      if (!(storeError(error) instanceof StoreFailedError)) throw error
    }
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
    return openIndexFile(file, identity)
  }

  #identity(): string {
    return (this.#messages.prepare('select identity from store').get() as State).identity
  }

  /** An index ahead of its messages was built from others: a restored backup has fewer. */
  #belongs(index: DatabaseSync, identity: string): boolean {
    const state = index.prepare('select identity, watermark from search_state').get() as State
    return state.identity === identity && state.watermark <= this.#lastSeq()
  }

  #lastSeq(): number {
    const row = this.#messages.prepare('select last_seq as seq from totals').get() as Row
    return row.seq
  }
}

// A lost commit is only indexed again, so the index need not wait for its disk.
function openIndexFile(file: string, identity: string): DatabaseSync {
  createPrivateFile(file)
  makePrivate(file)
  const database = new DatabaseSync(file, { timeout: 2000 })
  try {
    database.exec('pragma journal_mode = wal; pragma synchronous = normal')
    createSearchIndex(database, identity)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
