// The raw bodies of a database, as the events that were in them.
import { partsBySize } from '../sql/parts.ts'
import {
  checkArrival,
  type FromBody,
  type IntakeToCheck,
  readingsOf,
  reportMissing,
} from '../verify/bodies.ts'
import { FIRST_BODY_SQL, type FirstBody, mayHaveExpired } from '../verify/kept-bodies.ts'
import type { Readings } from '../verify/readings.ts'
import { once, type ParseBody, type Report } from '../verify/verification.ts'
import type { VerifyTransaction } from './verify-transaction.ts'

/** Bodies that are held at once, unless one alone is larger. Bytes. */
const HELD_AT_ONCE = 4 * 1024 * 1024

type Facts = IntakeToCheck & { readonly size: number }

export type BodiesOptions = {
  readonly transaction: VerifyTransaction
  readonly parse: ParseBody
  readonly report: Report
}

/** Reads the bodies of a page of rows together. */
export class StoredBodies {
  readonly #options: BodiesOptions
  readonly #first: FirstBody | undefined
  /** Bodies that arrived earlier have expired; ms since 1970. */
  readonly #expiredBefore: number

  private constructor(options: BodiesOptions, first: FirstBody | undefined, expiredBefore: number) {
    this.#options = { ...options, report: once(options.report) }
    this.#first = first
    this.#expiredBefore = expiredBefore
  }

  static async open(options: BodiesOptions): Promise<StoredBodies> {
    const { transaction } = options
    const expiredBefore = await transaction.number('select expired_before from store')
    const [first] = await transaction.all<FirstBody>(FIRST_BODY_SQL)
    return new StoredBodies(options, first, expiredBefore)
  }

  /** Calls `check` with each row and what was in its body, unless that has expired. */
  async match<Row extends FromBody>(
    rows: readonly Row[],
    check: (row: Row, body: Readings) => void,
  ): Promise<void> {
    const { report } = this.#options
    const waiting = Map.groupBy(rows, ({ intake }) => intake)
    const known = await this.#factsOf([...waiting.keys()])
    for (const facts of partsBySize(known, ({ size }) => size, HELD_AT_ONCE)) {
      for (const [intake, body] of await this.#readingsOf(facts)) {
        for (const row of waiting.get(intake.id) ?? []) {
          checkArrival(row, intake, report)
          if (body !== null) check(row, body)
        }
        waiting.delete(intake.id)
      }
    }
    for (const [id, [row]] of waiting) {
      if (row === undefined || this.#mayHaveExpired(row)) continue
      reportMissing(id, report)
    }
  }

  #mayHaveExpired(row: FromBody): boolean {
    return row.received_at < this.#expiredBefore || mayHaveExpired(row, this.#first)
  }

  #factsOf(ids: readonly number[]): Promise<Facts[]> {
    return this.#options.transaction.all<Facts>(
      `select id, provider, received_at, sha256, bytes, octet_length(body) as size
       from intakes where id = any ($1::bigint[])
         and received_at >= (select expired_before from store) order by id`,
      [ids],
    )
  }

  async #readingsOf(chunk: readonly Facts[]) {
    const { transaction, parse, report } = this.#options
    const rows = await transaction.all<{ id: number; body: Buffer }>(
      'select id, body from intakes where id = any ($1::bigint[])',
      [chunk.map(({ id }) => id)],
    )
    const bodies = new Map(rows.map(({ id, body }) => [id, body]))
    return chunk.map((intake): [IntakeToCheck, Readings | null] => [
      intake,
      readingsOf(intake, bodies.get(intake.id) ?? null, { parse, report }),
    ])
  }
}
