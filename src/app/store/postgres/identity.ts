// What tells one store from every other.
import type { ClientBase } from 'pg'
import { UNFINISHED } from '../sql/tables.ts'

/** The identity of the store; empty where its row is missing. */
export async function readIdentity(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ identity: string }>('select identity from store')
  return rows[0]?.identity ?? ''
}

/** Whether a store was being copied into the database, and not all of it is there. */
export async function isUnfinished(client: ClientBase): Promise<boolean> {
  return (await readIdentity(client)).endsWith(UNFINISHED)
}
