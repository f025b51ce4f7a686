// Stores batches: one statement each, sent again until it is known what became of it.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../../errors.ts'
import { costOf } from '../../model/cost.ts'
import type { Intake } from '../../model/event.ts'
import type { InsertOutcome } from '../../model/message.ts'
import { digestOf } from '../body.ts'
import type { InsertedBatch } from '../store.ts'
import { batchFor, INGEST_SQL } from './batch.ts'
import { BatchTime } from './batch-time.ts'
import { connectWriter, withinTime, withStatementTime, withTimeLimit } from './connections.ts'
import { requireFlushes, withConfirmedCommit } from './durability.ts'
import { explained } from './explained.ts'
import { isWorthAnotherTry, needsToBeAlone, storeError, toldOfNoRoom } from './faults.ts'
import { HeldConnection } from './held-connection.ts'
import { requireWritable } from './schema.ts'

/** Between two tries, growing up to the longest. */
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000
/** A probe takes its turn among the batches; whoever waits for its answer gives up after as long. */
const PROBE_MS = 1000

/** A server without room for a batch answers everything else: until one is tried again, in ms. */
const NO_ROOM_MS = 5000

/** What the server says of an event that was not new. */
type Copy = {
  readonly ord: number
  readonly kind: 'duplicate' | 'conflict'
  readonly storedSha256: string | null
}

/** A batch that could not be stored; `at` by the clock of `performance`, in ms. */
type Outage = { readonly reason: StoreUnavailableError; readonly at: number }

/** Writes on one connection, one batch a transaction. */
export class Writer {
  readonly #connection: HeldConnection
  /** Why the last batch that ended could not be stored. */
  #outage: Outage | null = null
  #storing = 0
  #probing: Promise<void> | null = null

  constructor(url: string) {
    this.#connection = new HeldConnection((msLeft) => connectWriter(url, msLeft))
  }

  /** Stores a batch in one transaction. Rejects as MessageStore.insert does. */
  async insert(intakes: readonly Intake[]): Promise<InsertedBatch> {
    const start = performance.now()
    const time = new BatchTime(intakes.reduce((sum, intake) => sum + costOf(intake), 0))
    this.#storing++
    try {
      const copies = await this.#send(intakes, time)
      this.#outage = null
      return { outcomes: outcomesOf(intakes, copies), seconds: (performance.now() - start) / 1000 }
    } catch (error) {
      const known = await explained(error, () => this.#requireWritable(() => time.msOfLook))
      if (known instanceof StoreUnavailableError) {
        this.#outage = { reason: known, at: performance.now() }
      }
      throw known
    } finally {
      this.#storing--
    }
  }

  /**
   * Resolves when a batch could be stored now: the server takes writes and has a schema we know.
   * While one is being stored, what became of the last one that ended counts; so it does, for a
   * while, where that found no room.
   */
  async probe(): Promise<void> {
    if (this.#storing > 0) return this.#requireNoOutage()
    this.#probing ??= this.#ask().finally(() => {
      this.#probing = null
    })
    try {
      await this.#probing
    } catch (error) {
      throw storeError(error)
    }
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #ask(): Promise<void> {
    await this.#requireWritable(() => PROBE_MS)
    const outage = this.#outage
    if (outage === null || !toldOfNoRoom(outage.reason)) return
    if (performance.now() < outage.at + NO_ROOM_MS) throw outage.reason
  }

  #requireNoOutage(): void {
    if (this.#outage !== null) throw this.#outage.reason
  }

  #requireWritable(msAllowed: () => number): Promise<void> {
    return this.#connection.use(msAllowed, (client, msLeft) =>
      withinTime(client, msLeft(), () => requireWritable(client)),
    )
  }

  /**
   * The token makes sending a batch again safe when its connection was lost in mid-commit: what
   * was stored answers as it did the first time, and what is still being stored is waited for.
   */
  async #send(intakes: readonly Intake[], time: BatchTime): Promise<readonly Copy[]> {
    const token = randomUUID()
    let batch = batchFor(intakes)
    let pause = FIRST_PAUSE_MS
    for (;;) {
      try {
        return await this.#ingest([token, ...batch], time)
      } catch (error) {
        if (needsToBeAlone(error)) {
          batch = batchFor(intakes, true)
          time.takesEachAlone()
          continue
        }
        if (!isWorthAnotherTry(error) || !time.hasTimeAfter(pause)) throw error
        await sleep(pause)
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
      }
    }
  }

  #ingest(values: unknown[], time: BatchTime): Promise<readonly Copy[]> {
    const allowed = () => time.msOfTry
    return this.#connection.use(allowed, async (client, msLeft) => {
      const ms = msLeft()
      const ingest = withTimeLimit({ name: 'ingest', text: INGEST_SQL, values }, ms)
      const { rows } = await withStatementTime(client, ms, () =>
        withConfirmedCommit(client, () =>
          client.query<{ flushes: boolean; copies: Copy[] | null }>(ingest),
        ),
      )
      requireFlushes(rows[0]?.flushes ?? false)
      return rows[0]?.copies ?? []
    })
  }
}

function outcomesOf(intakes: readonly Intake[], copies: readonly Copy[]): InsertOutcome[][] {
  const byOrd = new Map(copies.map((copy) => [copy.ord, copy]))
  let ord = 0
  return intakes.map(({ events, body }) =>
    events.map(() => {
      const copy = byOrd.get(++ord)
      if (copy === undefined) return { kind: 'created' }
      if (copy.kind === 'duplicate') return { kind: 'duplicate' }
      const { storedSha256 } = copy
      return { kind: 'conflict', storedSha256, receivedSha256: digestOf(body).toString('hex') }
    }),
  )
}
