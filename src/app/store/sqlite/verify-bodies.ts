// The raw bodies of a file, as the events that were in them.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type IntakeToCheck, readingsOf } from '../verify/bodies.ts'
import type { Readings } from '../verify/readings.ts'
import type { ParseBody, Report } from '../verify/verification.ts'
import { type StoredBody, unpackBody } from './intakes.ts'

type StoredIntake = StoredBody & IntakeToCheck

/** Reads bodies in the order of the rows that came from them, and each once. */
export class StoredBodies {
  readonly #find: StatementSync
  readonly #parse: ParseBody
  readonly #report: Report
  #lastId = 0
  #last: Readings | null = null

  constructor(database: DatabaseSync, parse: ParseBody, report: Report) {
    this.#find = database.prepare(
      `select id, provider, received_at, sha256, bytes, encoding, body
       from intakes where id = ?`,
    )
    this.#parse = parse
    this.#report = report
  }

  /** What was in an intake; null once it has expired, or where a finding says why. */
  readingsOf(id: number): Readings | null {
    if (id !== this.#lastId) {
      this.#lastId = id
      this.#last = this.#read(this.#find.get(id) as StoredIntake | undefined)
    }
    return this.#last
  }

  #read(row: StoredIntake | undefined): Readings | null {
    if (row === undefined) return null
    return readingsOf(row, unpackedOrNull(row), { parse: this.#parse, report: this.#report })
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
