// Whether something between us and the server mixes the sessions of its connections.
import type { Client } from 'pg'
import { createClient, leave, withTimeLimit } from './connections.ts'

/** While others use the pooler too, it may happen to give each the same session again. */
const LOOKS = 10
/** A pooler without a free session lets a query wait, for minutes. */
const ANSWER_MS = 3000

/**
 * Whether a connection has no session of its own, as behind a pooler that hands every transaction to
 * whichever session is free: what a connection sets and listens to would be another's. Two that are
 * open at once are one session then, or one of them is another session later.
 */
export async function sharesSessions(client: Client, url: string): Promise<boolean> {
  const other = createClient(url)
  try {
    await other.connect()
    const first = await sessionOf(client)
    const second = await sessionOf(other)
    if (first === second) return true
    for (let look = 0; look < LOOKS; look++) {
      if ((await sessionOf(client)) !== first || (await sessionOf(other)) !== second) return true
    }
    return false
  } finally {
    leave(other)
  }
}

/** Several servers behind one address may number their processes alike. */
async function sessionOf(client: Client): Promise<string> {
  const text = `select concat_ws(' ', pid, backend_start) as session
    from pg_stat_activity where pid = pg_backend_pid()`
  const { rows } = await client.query<{ session: string }>(withTimeLimit({ text }, ANSWER_MS))
  return rows[0]?.session ?? ''
}
