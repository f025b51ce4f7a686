// Raw bodies and what is known of them, until they expire.
import type { ClientBase } from 'pg'
import type { IntakeFacts } from '../../model/event.ts'
import { type IntakeRow, toIntakeFacts } from '../sql/rows.ts'

const UNEXPIRED = `from intakes, store
  where intakes.id = $1 and intakes.received_at >= store.expired_before`

/** What is known of an intake beside its body. */
export async function findIntake(client: ClientBase, id: number): Promise<IntakeFacts | null> {
  const { rows } = await client.query<IntakeRow>(
    `select intakes.id, provider, received_at, sha256, bytes, headers ${UNEXPIRED}`,
    [id],
  )
  const [row] = rows
  return row === undefined ? null : toIntakeFacts(row)
}

/** The body as it arrived; null where it is unknown or has expired. */
export async function readRawBody(client: ClientBase, id: number): Promise<Uint8Array | null> {
  const { rows } = await client.query<{ body: Buffer }>(`select body ${UNEXPIRED}`, [id])
  return rows[0]?.body ?? null
}
