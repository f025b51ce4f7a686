// The store on one SQLite file: a thread that writes, one that reads, one that searches and indexes.
import { mkdtempSync } from 'node:fs'
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
import { expireStep } from './expiry-step.ts'
import type { ReaderMethods } from './reader-thread.ts'
import { SqliteThreads } from './sqlite-threads.ts'

/** Queries that may wait for one read thread. */
const MAX_PENDING_READS = 200

type IndexReports = {
  /** Told of faults in the search index, which lags behind until they pass. */
  readonly onIndexError: (error: unknown) => void
  /** Told of each part that the index has taken in. */
  readonly onIndexed?: (() => void) | undefined
}

export type SqliteOptions = IndexReports & {
  /** The database file; null for one that lasts as long as the process. */
  readonly file: string | null
}

/** Opens the store. Rejects with the reason when the file can't be used. */
export async function openSqliteStore({ file, ...reports }: SqliteOptions): Promise<MessageStore> {
  const directory = file === null ? mkdtempSync(join(tmpdir(), 'whatsapp-webhook-')) : null
  const messages = file ?? join(directory ?? '', 'messages.db')
  const store = new SqliteStore(new SqliteThreads({ messages, directory }), reports)
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

class SqliteStore implements MessageStore {
  readonly failed: Promise<StoreFailure>
  readonly #threads: SqliteThreads
  readonly #catchUp: CatchUp
  readonly #checkpoints: Checkpoints
  #fail: (failure: StoreFailure) => void = () => {}
  #hasFailed = false
  #closed: Promise<void> | null = null
  #probing: Promise<void> | null = null

  constructor(threads: SqliteThreads, { onIndexError, onIndexed }: IndexReports) {
    this.#threads = threads
    const { writer, searches } = threads
    this.#catchUp = new CatchUp({
      step: () => searches.call('indexChunk', null),
      onError: onIndexError,
      onDone: onIndexed,
    })
    this.#checkpoints = new Checkpoints({
      copyMost: () => this.#write(() => searches.call('checkpoint', null)),
      finish: () => this.#write(() => writer.call('checkpoint', null)),
      restart: () => writer.call('restartLog', null),
    })
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    threads.onEnd((error) => this.#report(error))
  }

  async open(): Promise<void> {
    await this.#threads.open()
    this.#catchUp.wake()
  }

  async insert(batch: readonly Intake[]): Promise<InsertedBatch> {
    const packed = packBatch(batch)
    const moved = [packed.bodies.buffer, packed.lengths.buffer] as ArrayBuffer[]
    const committed = await this.#write(() => this.#threads.writer.call('insert', packed, moved))
    this.#catchUp.wake()
    this.#checkpoints.grown(committed.logFrames)
    return committed
  }

  /** One at a time, whoever asks: while another process has the lock, each holds up a batch. */
  probe(): Promise<void> {
    this.#probing ??= this.#write(() => this.#threads.writer.call('probe', null)).finally(() => {
      this.#probing = null
    })
    return this.#probing
  }

  expireIntakes(before: number) {
    return this.#write(() =>
      expireStep({
        look: () => this.#threads.writer.call('findExpired', before),
        restartLog: () => this.#checkpoints.restartLog(),
        deleteFound: () => this.#threads.writer.call('deleteExpired', before),
      }),
    )
  }

  page(request: PageRequest) {
    return request.filter.search === undefined
      ? this.#read('page', request)
      : read(this.#threads.searches, () => this.#threads.searches.call('page', request))
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
    const files = Object.values(this.#threads.files).flatMap((file) => [file, `${file}-wal`])
    const sizes = await Promise.all(files.map(fileSize))
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.all([this.#catchUp.close(), this.#checkpoints.close()])
    await this.#threads.close({ hasFailed: this.#hasFailed })
  }

  #read<Name extends keyof ReaderMethods & string>(
    method: Name,
    argument: Parameters<ReaderMethods[Name]>[0],
  ) {
    return read(this.#threads.lists, () => this.#threads.lists.call(method, argument))
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

async function fileSize(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch {
    return 0
  }
}
