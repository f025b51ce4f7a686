// The raw bodies against their digests, and as the events that were in them.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { IncomingEvent, ProviderName } from '../../model/event.ts'
import { digestOf } from '../body.ts'
import { type StoredBody, unpackBody } from './intakes.ts'
import type { Report } from './verify-findings.ts'

/** The events in a body that arrived at this moment. Throws where it holds none. */
export type ParseBody = (
  provider: ProviderName,
  body: Buffer,
  receivedAt: number,
) => readonly IncomingEvent[]

type Row = StoredBody & {
  readonly id: number
  readonly provider: ProviderName
  readonly received_at: number
  readonly sha256: Uint8Array
  readonly bytes: number
}

/** Reads bodies in the order of the rows that came from them, and each once. */
export class StoredBodies {
  readonly #find: StatementSync
  readonly #parse: ParseBody
  readonly #report: Report
  #lastId = 0
  #lastEvents: readonly IncomingEvent[] | null = null

  constructor(database: DatabaseSync, parse: ParseBody, report: Report) {
    this.#find = database.prepare(
      `select id, provider, received_at, sha256, bytes, encoding, body
       from intakes where id = ?`,
    )
    this.#parse = parse
    this.#report = report
  }

  /** The events of an intake; null once it has expired, or where a finding says why. */
  eventsOf(id: number): readonly IncomingEvent[] | null {
    if (id !== this.#lastId) {
      this.#lastId = id
      this.#lastEvents = this.#read(this.#find.get(id) as Row | undefined)
    }
    return this.#lastEvents
  }

  #read(row: Row | undefined): readonly IncomingEvent[] | null {
    if (row === undefined) return null
    const body = unpackedOrNull(row)
    const holds = body !== null && body.length === row.bytes && digestOf(body).equals(row.sha256)
    if (!holds) {
      this.#report(`intake ${row.id}: the body does not have the SHA-256 stored with it.`)
    }
    if (body === null) return null
    try {
      return this.#parse(row.provider, body, row.received_at)
    } catch {
      this.#report(`intake ${row.id}: the body holds no valid message.`)
      return null
    }
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
