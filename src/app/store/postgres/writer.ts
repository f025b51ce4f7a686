// Stores batches: one statement each, sent again until it is known what became of it.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Intake } from '../../model/event.ts'
import type { InsertOutcome } from '../../model/message.ts'
import { digestOf } from '../body.ts'
import type { InsertedBatch } from '../store.ts'
import { batchFor, INGEST_SQL, type SentBatch } from './batch.ts'
import { withConnection, withTimeLimit } from './connections.ts'
import { isWorthAnotherTry, needsToBeAlone, storeError } from './faults.ts'

/** How long a batch is sent again before its requests are asked to come again themselves. */
const PATIENCE_MS = 4000
/** What the last try is given at least. */
const LAST_TRY_MS = 500
/** Between two tries, growing up to the longest. */
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000

/** What the server says of an event that was not new. */
type Copy = {
  readonly ord: number
  readonly kind: 'duplicate' | 'conflict'
  readonly storedSha256: string | null
}

/** Writes on the connections of a pool, one batch a transaction. */
export class Writer {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Stores a batch in one transaction. Rejects with StoreUnavailableError. */
  async insert(intakes: readonly Intake[]): Promise<InsertedBatch> {
    const start = performance.now()
    const copies = await this.#send(intakes)
    return { outcomes: outcomesOf(intakes, copies), seconds: (performance.now() - start) / 1000 }
  }

  /**
   * The token makes sending a batch again safe when its connection was lost in mid-commit: what
   * was stored answers as it did the first time.
   */
  async #send(intakes: readonly Intake[]): Promise<readonly Copy[]> {
    const token = randomUUID()
    const deadline = performance.now() + PATIENCE_MS
    let batch = batchFor(intakes)
    let pause = FIRST_PAUSE_MS
    for (;;) {
      try {
        return await this.#ingest(token, batch, deadline - performance.now())
      } catch (error) {
        if (needsToBeAlone(error)) {
          batch = batchFor(intakes, true)
          continue
        }
        if (!isWorthAnotherTry(error) || performance.now() + pause > deadline) {
          throw storeError(error)
        }
        await sleep(pause)
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
      }
    }
  }

  #ingest(token: string, { parameters }: SentBatch, leftMs: number): Promise<readonly Copy[]> {
    return withConnection(this.#pool, async (client) => {
      const values = [token, ...parameters]
      const query = withTimeLimit(
        { name: 'ingest', text: INGEST_SQL, values },
        Math.max(leftMs, LAST_TRY_MS),
      )
      const { rows } = await client.query<{ copies: Copy[] }>(query)
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
