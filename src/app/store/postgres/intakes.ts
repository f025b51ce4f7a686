// Raw bodies and what is known of them, until they expire.
import type { ClientBase } from 'pg'
import type { IntakeFacts, ProviderName } from '../../model/event.ts'

type Row = {
  id: number
  provider: ProviderName
  received_at: number
  sha256: Buffer
  bytes: number
  headers: string
}

const UNEXPIRED = `from intakes, store
  where intakes.id = $1 and intakes.received_at >= store.expired_before`

/** What is known of an intake beside its body. */
export async function findIntake(client: ClientBase, id: number): Promise<IntakeFacts | null> {
  const { rows } = await client.query<Row>(
    `select intakes.id, provider, received_at, sha256, bytes, headers ${UNEXPIRED}`,
    [id],
  )
  const [row] = rows
  if (row === undefined) return null
  return {
    id: row.id,
    provider: row.provider,
    receivedAt: row.received_at,
    sha256: row.sha256.toString('hex'),
    bytes: row.bytes,
    headers: JSON.parse(row.headers) as Record<string, string>,
  }
}

/** The body as it arrived; null where it is unknown or has expired. */
export async function readRawBody(client: ClientBase, id: number): Promise<Uint8Array | null> {
  const { rows } = await client.query<{ body: Buffer }>(`select body ${UNEXPIRED}`, [id])
  return rows[0]?.body ?? null
}
