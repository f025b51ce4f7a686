// The store on PostgreSQL, for as many replicas as share one database.
import type { PoolClient } from 'pg'
import { AppError, StoreUnavailableError } from '../../errors.ts'
import type { Intake, IntakeFacts } from '../../model/event.ts'
import type { PageRequest } from '../../model/message.ts'
import { within } from '../../within.ts'
import type { OnHeldUp } from '../held-up.ts'
import type {
  ConversationRequest,
  ExpiryStep,
  InsertedBatch,
  MessageStore,
  SequenceRequest,
  StoreFailure,
} from '../store.ts'
import { passingFault, startError, startFault } from './connection-faults.ts'
import { withConnection } from './connections.ts'
import { explained } from './explained.ts'
import { storeError } from './faults.ts'
import { remedyForCreators } from './foreign-creators.ts'
import { findIntake, readRawBody } from './intakes.ts'
import { prepareDatabase, prepareEventually, UnusableDatabaseError } from './opening.ts'
import { ReadPool } from './read-pool.ts'
import { Reader } from './reader.ts'
import { requireSchema } from './schema.ts'
import { SequenceReader } from './sequence-reader.ts'
import { Upkeep } from './upkeep.ts'
import { WakeUp } from './wake-up.ts'
import { Writer } from './writer.ts'

/** Of a pool: one connection writes, one listens. */
const RESERVED = 2
/** How long the server may take to end what is under way, and its side of the connections. */
const GOODBYE_MS = 2000
/** Queries that may wait for a connection, for each there is. */
const WAITING_EACH = 25

export type PostgresOptions = {
  readonly url: string
  /** Connections to the server, at least three. */
  readonly poolSize: number
  /** Another replica may have committed something. */
  readonly onCommitted: () => void
  /** Told of faults of what is done beside storing and reading, and is tried again. */
  readonly onUpkeepError: (error: unknown) => void
  /** Told of what has kept the tables of the next days from being made for a day. */
  readonly onUpkeepHeldUp?: OnHeldUp
  /** Told when a server that could not be reached at first has been. */
  readonly onReached?: () => void
  /** Told by how many seconds the clock here is ahead of the server's, or behind (below 0). */
  readonly onClocksApart?: (secondsAhead: number) => void
  /** Told at the start where others may create in the schema, with the SQL that ends it. */
  readonly onForeignCreators?: (remedy: string) => void
}

/**
 * Opens the store. While the server can't be reached it is open, and unavailable. Rejects with the
 * reason where waiting can't help.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<MessageStore> {
  const store = new PostgresStore(options)
  try {
    await prepareDatabase(options.url)
    await store.begin()
  } catch (error) {
    if (error instanceof UnusableDatabaseError) {
      await store.close()
      throw startError(options.url, error)
    }
    store.beginEventually(error)
  }
  return store
}

class PostgresStore implements MessageStore {
  readonly failed: Promise<StoreFailure>
  readonly #options: PostgresOptions
  readonly #reads: ReadPool
  readonly #maxWaiting: number
  readonly #writer: Writer
  readonly #wakeUp: WakeUp
  readonly #upkeep: Upkeep
  #begun = false
  readonly #writing = new Set<Promise<unknown>>()
  #closed: Promise<void> | null = null
  #fail: (failure: StoreFailure) => void = () => {}

  constructor(options: PostgresOptions) {
    const { url, poolSize, onCommitted } = options
    const { onUpkeepHeldUp = () => {}, onClocksApart = () => {} } = options
    this.#options = options
    this.#reads = new ReadPool(url, poolSize - RESERVED)
    this.#maxWaiting = (poolSize - RESERVED) * WAITING_EACH
    this.#writer = new Writer(url)
    this.#wakeUp = new WakeUp({ url, pool: this.#reads.pool, onCommitted })
    const onError = (error: unknown) => this.#report(error)
    this.#upkeep = new Upkeep({
      pool: this.#reads.pool,
      onError,
      onHeldUp: onUpkeepHeldUp,
      onClocksApart,
    })
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
  }

  async begin(): Promise<void> {
    await this.#upkeep.start()
    await this.#lookForCreators()
    if (this.#closed !== null) return await this.#upkeep.close()
    this.#wakeUp.start()
    this.#begun = true
    this.#options.onCommitted()
  }

  /** Whatever comes of it, messages are stored. */
  async #lookForCreators(): Promise<void> {
    try {
      const remedy = await withConnection(this.#reads.pool, remedyForCreators)
      if (remedy !== null) this.#options.onForeignCreators?.(remedy)
    } catch (error) {
      this.#report(error)
    }
  }

  /** After the first try has failed with this. */
  beginEventually(error: unknown): void {
    this.#report(error)
    const isWanted = () => this.#closed === null
    const onFailure = (again: unknown) => this.#report(again)
    prepareEventually(this.#options.url, { after: error, isWanted, onFailure })
      .then(() => (isWanted() ? this.begin() : undefined))
      .then(() => (this.#begun ? this.#options.onReached?.() : undefined))
      .catch((error: unknown) => {
        const reason = startFault(this.#options.url, error)
        this.#fail({ reason: `The PostgreSQL database can't be used: ${reason}` })
      })
  }

  async insert(batch: readonly Intake[]): Promise<InsertedBatch> {
    this.#requireBegun()
    const inserting = this.#writer.insert(batch)
    this.#writing.add(inserting)
    try {
      const inserted = await inserting
      this.#upkeep.wake()
      this.#wakeUp.committed()
      return inserted
    } finally {
      this.#writing.delete(inserting)
    }
  }

  async probe(): Promise<void> {
    this.#requireBegun()
    await this.#writer.probe()
  }

  async expireIntakes(before: number): Promise<ExpiryStep> {
    this.#requireBegun()
    try {
      return await this.#upkeep.expireIntakes(before)
    } catch (error) {
      throw storeError(error)
    }
  }

  page(request: PageRequest) {
    return this.#read((client) => new Reader(client).page(request))
  }

  find(messageId: string) {
    return this.#read((client) => new Reader(client).find(messageId))
  }

  conversations(request: ConversationRequest) {
    return this.#read((client) => new Reader(client).conversations(request))
  }

  stats() {
    return this.#read((client) => new Reader(client).stats())
  }

  eventsAfter(request: SequenceRequest) {
    return this.#read((client) => new SequenceReader(client).eventsAfter(request))
  }

  lastSeq() {
    return this.#read((client) => new SequenceReader(client).lastSeq())
  }

  addressesOf(keys: readonly string[]) {
    return this.#read((client) => new SequenceReader(client).addressesOf(keys))
  }

  intake(id: number): Promise<IntakeFacts | null> {
    return this.#read((client) => findIntake(client, id))
  }

  rawBody(id: number): Promise<Uint8Array | null> {
    return this.#read((client) => readRawBody(client, id))
  }

  async sizeBytes(): Promise<number> {
    return await this.#read(async (client) => {
      const { rows } = await client.query<{ bytes: number }>(
        'select pg_database_size(current_database()) as bytes',
      )
      return rows[0]?.bytes ?? 0
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#writing])
    const reads = this.#upkeep.close().then(() => this.#reads.pool.end())
    const closing = [reads, this.#wakeUp.close(), this.#writer.close()]
    // A server that does not answer any more does not say goodbye either.
    await within(GOODBYE_MS, Promise.all(closing), undefined)
  }

  #report(error: unknown): void {
    this.#options.onUpkeepError(passingFault(this.#options.url, error))
  }

  #requireBegun(): void {
    if (this.#closed !== null) throw new StoreUnavailableError('The store is closed.')
    if (!this.#begun) throw new StoreUnavailableError('PostgreSQL has not been reached yet.')
  }

  async #read<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    if (this.#reads.pool.waitingCount >= this.#maxWaiting) throw new AppError('reads_overloaded')
    try {
      this.#requireBegun()
      return await this.#reads.use(work)
    } catch (error) {
      const known = await explained(error, () => this.#reads.use(requireSchema))
      throw known instanceof StoreUnavailableError
        ? new AppError('reads_unavailable', { cause: known })
        : known
    }
  }
}
