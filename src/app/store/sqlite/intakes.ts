// Raw bodies, kept once for all events that were in them, until they expire.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Intake, IntakeFacts } from '../../model/event.ts'
import { type IntakeRow, toIntakeFacts } from '../sql/rows.ts'

/** Below, compressing costs more than it saves. Bytes. */
const COMPRESSED_FROM = 2048

/** The table of intakes, as the writer uses it. */
export class IntakeWriter {
  readonly #insert: StatementSync
  readonly #readDigest: StatementSync

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(`
      insert into intakes (id, provider, received_at, sha256, bytes, headers, encoding, body)
      values (?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#readDigest = database.prepare('select sha256 from intakes where id = ?')
  }

  insert(id: number, { provider, receivedAt, headers, body }: Intake, digest: Buffer): void {
    const stored = packBody(body)
    this.#insert.run(
      id,
      provider,
      receivedAt,
      digest,
      body.byteLength,
      JSON.stringify(headers),
      stored.encoding,
      stored.body,
    )
  }

  /** The SHA-256 of a stored body in hex; null once it has expired. */
  digestOf(id: number): string | null {
    const row = this.#readDigest.get(id) as { sha256: Uint8Array } | undefined
    return row === undefined ? null : Buffer.from(row.sha256).toString('hex')
  }
}

/** What is known of an intake beside its body. */
export function findIntake(database: DatabaseSync, id: number): IntakeFacts | null {
  const row = database
    .prepare('select id, provider, received_at, sha256, bytes, headers from intakes where id = ?')
    .get(id) as IntakeRow | undefined
  return row === undefined ? null : toIntakeFacts(row)
}

/** A body as it is stored. */
export type StoredBody = { readonly encoding: 'identity' | 'gzip'; readonly body: Uint8Array }

/** A body as it will be stored. */
export function packBody(body: Uint8Array): StoredBody {
  return body.byteLength < COMPRESSED_FROM
    ? { encoding: 'identity', body }
    : { encoding: 'gzip', body: gzipSync(body, { level: 1 }) }
}

/** The body as it arrived. Throws where what is stored is damaged. */
export function unpackBody({ encoding, body }: StoredBody): Uint8Array {
  return encoding === 'gzip' ? gunzipSync(body) : body
}

/** The body as it arrived; null where it is unknown or has expired. */
export function readRawBody(database: DatabaseSync, id: number): Uint8Array | null {
  const row = database.prepare('select encoding, body from intakes where id = ?').get(id) as
    | StoredBody
    | undefined
  return row === undefined ? null : unpackBody(row)
}
