// Which characters a database can hold.
import type { ClientBase } from 'pg'

/** The encoding of a database that does not hold every character; null of one that does. */
export async function narrowEncoding(client: ClientBase): Promise<string | null> {
  const { rows } = await client.query<{ server_encoding: string }>('show server_encoding')
  const encoding = rows[0]?.server_encoding ?? ''
  return encoding === 'UTF8' ? null : encoding
}
