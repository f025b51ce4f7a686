// Keeps the search index up to date, on connections of its own: no acknowledgement waits for it.
import { rmSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { StoreFailedError } from '../../errors.ts'
import { fold } from '../../model/fold.ts'
import {
  BUSY_TIMEOUT_MS,
  createPrivateFile,
  makePrivate,
  openReader,
  useWriteAheadLog,
} from './connection.ts'
import { storeError } from './faults.ts'
import { CHANGES_TEXT, createSearchIndex } from './search-index.ts'

const CHUNK = 500

type MessageText = { seq: number; text: string | null; position: number }
type State = { identity: string; watermark: number }
type Files = { readonly messages: string; readonly search: string }

/** Owns the write connection of the index. Every method is synchronous and blocks. */
export class Indexer {
  readonly #messages: DatabaseSync
  readonly #search: DatabaseSync
  readonly #nextMessages: StatementSync
  readonly #delete: StatementSync
  readonly #insert: StatementSync
  readonly #readState: StatementSync
  readonly #writeWatermark: StatementSync

  constructor(files: Files) {
    this.#messages = openReader(files.messages)
    this.#search = this.#openIndex(files.search)
    // In the order of the sequence: new messages, and those that an event has given another text.
    this.#nextMessages = this.#messages.prepare(`
      select seq, text, seq as position from messages where seq > :watermark
      union all
      select changed.seq, changed.text, events.seq
      from events join messages as changed on changed.message_id = events.message_id
      where events.seq > :watermark and events.message_id is not null
        and ${CHANGES_TEXT}
      order by position limit ${CHUNK}`)
    this.#delete = this.#search.prepare('delete from search where rowid = ?')
    this.#insert = this.#search.prepare(
      'insert or replace into search (rowid, folded) values (?, ?)',
    )
    this.#readState = this.#search.prepare('select identity, watermark from search_state')
    this.#writeWatermark = this.#search.prepare('update search_state set watermark = ?')
  }

  /** Indexes up to 500 messages in one transaction; returns how many numbers of the sequence are left. */
  indexChunk(): number {
    this.#search.exec('begin immediate')
    try {
      const { watermark } = this.#readState.get() as State
      const lastSeq = this.#lastSeq()
      const rows = this.#nextMessages.all({ watermark }) as MessageText[]
      for (const row of rows) this.#index(row)
      const reached = reachedBy(rows, lastSeq)
      if (reached > watermark) this.#writeWatermark.run(reached)
      this.#search.exec('commit')
      return this.#lastSeq() - reached
    } catch (error) {
      if (this.#search.isTransaction) this.#search.exec('rollback')
      throw error
    }
  }

  close(): void {
    this.#search.close()
    this.#messages.close()
  }

  #index({ seq, text, position }: MessageText): void {
    if (text !== null) this.#insert.run(seq, fold(text))
    else if (position !== seq) this.#delete.run(seq)
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
    const row = this.#messages.prepare('select identity from store').get() as { identity: string }
    return row.identity
  }

  /** An index ahead of its messages was built from others: a restored backup has fewer. */
  #belongs(index: DatabaseSync, identity: string): boolean {
    const state = index.prepare('select identity, watermark from search_state').get() as State
    return state.identity === identity && state.watermark <= this.#lastSeq()
  }

  #lastSeq(): number {
    const row = this.#messages.prepare('select last_seq from totals').get() as { last_seq: number }
    return row.last_seq
  }
}

/** One event can change two messages, and a full chunk end between them: so it is done again. */
function reachedBy(rows: readonly MessageText[], lastSeq: number): number {
  const last = rows.length === CHUNK ? rows.at(-1) : undefined
  return last === undefined ? lastSeq : last.position - 1
}

// A lost commit is only indexed again, so the index need not wait for its disk.
function openIndexFile(file: string, identity: string): DatabaseSync {
  createPrivateFile(file)
  makePrivate(file)
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    useWriteAheadLog(database)
    database.exec('pragma synchronous = normal')
    createSearchIndex(database, identity)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
