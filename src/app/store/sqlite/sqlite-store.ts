// The store on one SQLite file: a thread that writes, one that reads, one that searches and indexes.
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError, ConfigurationError, isOfTheStore, StoreFailedError } from '../../errors.ts'
import type { Intake } from '../../model/event.ts'
import type { PageRequest } from '../../model/message.ts'
import { CatchUp } from '../catch-up.ts'
import type {
  ConversationRequest,
  InsertedBatch,
  MessageStore,
  SequenceRequest,
  StoreFailure,
} from '../store.ts'
import { packBatch } from './batch.ts'
import { Checkpoints } from './checkpoints.ts'
import { createPrivateFile, makePrivate } from './connection.ts'
import { expireStep } from './expiry-step.ts'
import type { ReaderMethods } from './reader-thread.ts'
import { searchFileOf } from './search-index.ts'
import type { SearchMethods } from './search-thread.ts'
import { ThreadClient } from './thread.ts'
import type { WriterMethods } from './writer-thread.ts'

/** Queries that may wait for one read thread. */
const MAX_PENDING_READS = 200

export type SqliteOptions = {
  /** The database file; null for one that lasts as long as the process. */
  readonly file: string | null
  /** Told of faults in the search index, which lags behind until they pass. */
  readonly onIndexError: (error: unknown) => void
  /** Told of each part that the index has taken in. */
  readonly onIndexed?: (() => void) | undefined
}

/** Opens the store. Rejects with the reason when the file can't be used. */
export async function openSqliteStore({ file, ...told }: SqliteOptions): Promise<MessageStore> {
  const directory = file === null ? mkdtempSync(join(tmpdir(), 'whatsapp-webhook-')) : null
  const messages = file ?? join(directory ?? '', 'messages.db')
  const store = new SqliteStore({ messages, directory, ...told })
  try {
    await store.open()
    return store
  } catch (error) {
    await store.close()
    const reason = error instanceof Error ? error.message : String(error)
    const message = `The database ${messages} can't be used: ${reason}`
    throw error instanceof ConfigurationError
      ? new ConfigurationError(message, { cause: error })
      : new Error(message, { cause: error })
  }
}

type Files = Omit<SqliteOptions, 'file'> & {
  readonly messages: string
  /** A directory to remove at the end; null to keep everything. */
  readonly directory: string | null
}

class SqliteStore implements MessageStore {
  readonly failed: Promise<StoreFailure>
  readonly #files: { messages: string; search: string }
  readonly #directory: string | null
  readonly #writer = new ThreadClient<WriterMethods>(new URL('./writer-thread.ts', import.meta.url))
  readonly #lists = new ThreadClient<ReaderMethods>(new URL('./reader-thread.ts', import.meta.url))
  readonly #searches = new ThreadClient<SearchMethods>(
    new URL('./search-thread.ts', import.meta.url),
  )
  readonly #catchUp: CatchUp
  readonly #checkpoints = new Checkpoints({
    copyMost: () => this.#write(() => this.#searches.call('checkpoint', null)),
    finish: () => this.#write(() => this.#writer.call('checkpoint', null)),
    restart: () => this.#writer.call('restartLog', null),
  })
  // For fsyncs beside the connections. Whichever thread closes such a handle takes every lock that
  // the process has on the file with it: this is the last one to be closed.
  #handle: number | null = null
  #fail: (failure: StoreFailure) => void = () => {}
  #hasFailed = false
  #closed: Promise<void> | null = null
  #probing: Promise<void> | null = null

  constructor({ messages, directory, onIndexError, onIndexed }: Files) {
    this.#files = { messages, search: searchFileOf(messages) }
    this.#directory = directory
    this.#catchUp = new CatchUp({
      step: () => this.#searches.call('indexChunk', null),
      onError: onIndexError,
      onDone: onIndexed,
    })
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    for (const thread of [this.#writer, this.#lists, this.#searches]) {
      void thread.ended.then((error) => this.#report(error))
    }
  }

  async open(): Promise<void> {
    createPrivateFile(this.#files.messages)
    makePrivate(this.#files.messages)
    const isTemporary = this.#directory !== null
    await this.#writer.call('open', { file: this.#files.messages, isTemporary })
    this.#handle = openSync(this.#files.messages, 'r')
    await this.#searches.call('open', { ...this.#files, handle: this.#handle })
    await this.#lists.call('open', this.#files)
    this.#catchUp.wake()
  }

  async insert(batch: readonly Intake[]): Promise<InsertedBatch> {
    const packed = packBatch(batch)
    const moved = [packed.bodies.buffer, packed.lengths.buffer] as ArrayBuffer[]
    const committed = await this.#write(() => this.#writer.call('insert', packed, moved))
    this.#catchUp.wake()
    this.#checkpoints.grown(committed.logFrames)
    return committed
  }

  /** One at a time, whoever asks: while another process has the lock, each holds up a batch. */
  probe(): Promise<void> {
    this.#probing ??= this.#write(() => this.#writer.call('probe', null)).finally(() => {
      this.#probing = null
    })
    return this.#probing
  }

  expireIntakes(before: number) {
    return this.#write(() =>
      expireStep({
        look: () => this.#writer.call('findExpired', before),
        restartLog: () => this.#checkpoints.restartLog(),
        deleteFound: () => this.#writer.call('deleteExpired', before),
      }),
    )
  }

  page(request: PageRequest) {
    return request.filter.search === undefined
      ? this.#read('page', request)
      : read(this.#searches, () => this.#searches.call('page', request))
  }

  find(messageId: string) {
    return this.#read('find', messageId)
  }

  conversations(request: ConversationRequest) {
    return this.#read('conversations', request)
  }

  stats() {
    return this.#read('stats', null)
  }

  eventsAfter(request: SequenceRequest) {
    return this.#read('eventsAfter', request)
  }

  lastSeq() {
    return this.#read('lastSeq', null)
  }

  addressesOf(keys: readonly string[]) {
    return this.#read('addressesOf', keys)
  }

  intake(id: number) {
    return this.#read('intake', id)
  }

  rawBody(id: number) {
    return this.#read('rawBody', id)
  }

  async sizeBytes(): Promise<number> {
    const files = Object.values(this.#files).flatMap((file) => [file, `${file}-wal`])
    const sizes = await Promise.all(files.map(sizeOf))
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.all([this.#catchUp.close(), this.#checkpoints.close()])
    // The last connection to close folds the log into the database, unless it can only read: after a
    // failure the log is left to the next start, which looks at both before.
    const [first, last] = this.#hasFailed
      ? [this.#writer, this.#lists]
      : [this.#lists, this.#writer]
    for (const thread of [first, this.#searches, last]) await thread.close()
    if (this.#handle !== null) closeSync(this.#handle)
    if (this.#directory !== null) rmSync(this.#directory, { recursive: true, force: true })
  }

  #read<Name extends keyof ReaderMethods & string>(
    method: Name,
    argument: Parameters<ReaderMethods[Name]>[0],
  ) {
    return read(this.#lists, () => this.#lists.call(method, argument))
  }

  async #write<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      return await call()
    } catch (error) {
      if (error instanceof StoreFailedError) this.#report(error)
      throw error
    }
  }

  /** A thread that has ended is a failure, unless it was told to. */
  #report({ message }: Error): void {
    if (this.#closed !== null) return
    this.#hasFailed = true
    this.#fail({ reason: message })
  }
}

async function read<Result>(
  thread: { readonly pending: number },
  call: () => Promise<Result>,
): Promise<Result> {
  if (thread.pending >= MAX_PENDING_READS) throw new AppError('reads_overloaded')
  try {
    return await call()
  } catch (error) {
    throw isOfTheStore(error) ? new AppError('reads_unavailable', { cause: error }) : error
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch {
    return 0
  }
}
