// What tells one store from every other.
import type { ClientBase } from 'pg'

/** The identity of the store; empty where its row is missing. */
export async function readIdentity(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ identity: string }>('select identity from store')
  return rows[0]?.identity ?? ''
}
