// What is done beside storing and reading: folding counters, indexing new texts, making the days that
// raw bodies lie in, letting bodies expire, forgetting batches, comparing clocks.
import type { Pool } from 'pg'
import { CatchUp } from '../catch-up.ts'
import { HeldUp, type OnHeldUp, uptimeMs } from '../held-up.ts'
import type { ExpiryStep } from '../store.ts'
import { withConnection } from './connections.ts'
import { isLockTaken } from './faults.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Between two looks at what days there are. */
const INTERVAL_MS = 10 * 60 * 1000
/** Partitions made ahead: a week of outages of whoever makes them. */
const DAYS_AHEAD = 8
/** Whoever wants a table for itself gives up soon: storing would queue up behind it. */
const LOCK_TIMEOUT_MS = 1000
/** Far within the time limit of a statement, however much is left over from an outage. */
const FOLDED_AT_ONCE = 50_000
/** Readers walk over what was folded until its place is free; the server looks once a minute. */
const VACUUM_AFTER = 5000
/** How far the clocks of two machines may be apart before somebody should know, in ms. */
const CLOCKS_APART_MS = 5 * 60 * 1000

const MAKE_DAYS_SQL = 'select make_days_1($1::date, $2::integer) as answer'
/**
 * Bodies expire by their age, and never by a moment that the server's clock has not come to: a clock
 * that is ahead would take those of all replicas, and those still to come.
 */
const EXPIRE_SQL =
  'select expire_intakes_2(least($1::bigint, clock_ms_1() - $2::bigint))::integer as answer'

/** Days that have expired and are still there: somebody else reads them, or drops one just now. */
const LEFT_SQL = `
  select count(*)::integer as days from pg_inherits join pg_class on pg_class.oid = inhrelid, store
  where inhparent = 'intakes'::regclass and relname ~ '^intakes_[0-9]{8}$'
    and ms_at_1(to_date(right(relname::text, 8), 'YYYYMMDD') + 1) <= expired_before`

const LOCKED =
  'other sessions hold locks on the table intakes or its days, as dumps and transactions that nobody ends do: find them in pg_locks and pg_stat_activity, and end them'
/** Whoever stores may wait with a try, for as long as that waits for its lock: so they are few. */
const HELD_UP: ExpiryStep = { heldBy: LOCKED, againMs: INTERVAL_MS }

export type UpkeepOptions = {
  readonly pool: Pool
  /** Told of an error; it is tried again later. */
  readonly onError: (error: unknown) => void
  /** Told of what has kept the next days from being made for a day. */
  readonly onHeldUp: OnHeldUp
  /** Told by how many seconds the clock here is ahead of the server's, where that is much. */
  readonly onClocksApart: (secondsAhead: number) => void
}

/** The loops of one replica. Several at once share the work. */
export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #folding: CatchUp
  readonly #making: HeldUp
  #foldedSinceVacuum = 0
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> = Promise.resolve()

  /** `nowMs` is a clock in ms that nobody can set. */
  constructor(options: UpkeepOptions, nowMs = uptimeMs) {
    this.#options = options
    this.#making = new HeldUp(options.onHeldUp, nowMs)
    this.#folding = new CatchUp({
      step: () => this.#fold(),
      onError: options.onError,
    })
  }

  /** Resolves when today and the next days have their partitions, or somebody else holds the table. */
  async start(): Promise<void> {
    this.#folding.wake()
    await this.#look()
    this.#timer = setInterval(() => {
      this.#running = this.#look()
    }, INTERVAL_MS)
  }

  /** There are changes to fold. */
  wake(): void {
    this.#folding.wake()
  }

  /** Lets bodies expire that arrived before this moment. */
  async expireIntakes(before: number): Promise<ExpiryStep> {
    try {
      const more = await this.#withLockLimit(EXPIRE_SQL, [before, Date.now() - before])
      if (more === 1) return 'more'
    } catch (error) {
      if (!isLockTaken(error)) throw error
      return HELD_UP
    }
    const { rows } = await this.#options.pool.query<{ days: number }>(LEFT_SQL)
    return rows[0]?.days === 0 ? 'done' : HELD_UP
  }

  /** Resolves when nothing is under way any more. Idempotent. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await Promise.all([this.#folding.close(), this.#running])
  }

  async #look(): Promise<void> {
    try {
      await this.#makeDays()
      await this.#options.pool.query('select forget_batches_1()')
      await this.#compareClocks()
    } catch (error) {
      this.#options.onError(error)
    }
  }

  /** They are made well ahead, so whoever holds the table may keep it until the next look. */
  async #makeDays(): Promise<void> {
    const yesterday = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10)
    try {
      await this.#withLockLimit(MAKE_DAYS_SQL, [yesterday, DAYS_AHEAD + 1])
      this.#making.tried(null)
    } catch (error) {
      if (!isLockTaken(error)) throw error
      this.#making.tried(LOCKED)
    }
  }

  async #compareClocks(): Promise<void> {
    const { rows } = await this.#options.pool.query<{ ms: number }>('select clock_ms_1() as ms')
    const msAhead = Date.now() - (rows[0]?.ms ?? 0)
    if (Math.abs(msAhead) > CLOCKS_APART_MS) this.#options.onClocksApart(Math.round(msAhead / 1000))
  }

  /**
   * Resolves with 0 once all is folded. A folding that a crash of the server undoes is only done
   * again: it need not be flushed.
   */
  #fold(): Promise<number> {
    return withConnection(this.#options.pool, async (client) => {
      await client.query('begin; set local synchronous_commit = off')
      const { rows } = await client.query<{ folded: number }>(
        'select fold_changes_1($1::integer) as folded',
        [FOLDED_AT_ONCE],
      )
      await client.query('commit')
      await client.query('select index_texts_1()')
      const folded = rows[0]?.folded ?? 0
      this.#foldedSinceVacuum += folded
      if (this.#foldedSinceVacuum >= VACUUM_AFTER) {
        this.#foldedSinceVacuum = 0
        await client.query('vacuum count_changes, activity_changes')
      }
      return folded < FOLDED_AT_ONCE ? 0 : folded
    })
  }

  /** The `answer` of a statement that gives up where it would wait for a lock for long. */
  #withLockLimit(sql: string, values: readonly unknown[]): Promise<number> {
    return withConnection(this.#options.pool, async (client) => {
      await client.query(`begin; set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
      const { rows } = await client.query<{ answer: number }>(sql, [...values])
      await client.query('commit')
      return rows[0]?.answer ?? 0
    })
  }
}
