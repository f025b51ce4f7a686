// The raw bodies of a file, as the events that were in them.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
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
import { type StoredBody, unpackBody } from './intakes.ts'

type StoredIntake = StoredBody & IntakeToCheck
/** What is known of one, and what was in it. */
type Body = { readonly intake: IntakeToCheck; readonly readings: Readings | null }

/** Reads bodies in the order of the rows that came from them, and each once. */
export class StoredBodies {
  readonly #find: StatementSync
  readonly #parse: ParseBody
  readonly #report: Report
  readonly #first: FirstBody | undefined
  #lastId = 0
  #last: Body | null = null

  constructor(database: DatabaseSync, parse: ParseBody, report: Report) {
    this.#find = database.prepare(
      `select id, provider, received_at, sha256, bytes, encoding, body
       from intakes where id = ?`,
    )
    this.#parse = parse
    this.#report = once(report)
    this.#first = database.prepare(FIRST_BODY_SQL).get() as FirstBody | undefined
  }

  /** What was in the body of a row; null once it has expired, or where a finding says why. */
  readingsOf(row: FromBody): Readings | null {
    if (row.intake !== this.#lastId) {
      this.#lastId = row.intake
      this.#last = this.#read(row.intake)
    }
    if (this.#last !== null) {
      checkArrival(row, this.#last.intake, this.#report)
      return this.#last.readings
    }
    if (!mayHaveExpired(row, this.#first)) reportMissing(row.intake, this.#report)
    return null
  }

  #read(id: number): Body | null {
    const row = this.#find.get(id) as StoredIntake | undefined
    if (row === undefined) return null
    const { body, encoding, ...intake } = row
    const readings = readingsOf(intake, unpackedOrNull({ body, encoding }), {
      parse: this.#parse,
      report: this.#report,
    })
    return { intake, readings }
  }
}

function unpackedOrNull(row: StoredBody): Buffer | null {
  try {
    const body = unpackBody(row)
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  } catch {
    return null
  }
}
