// Which characters a database can hold.
import type { ClientBase } from 'pg'

/** SQL_ASCII is none: it takes the bytes as they come, and they are UTF-8. */
const HOLD_EVERY_CHARACTER = ['UTF8', 'SQL_ASCII']

/** The encoding of a database that does not hold every character; null of one that does. */
export async function narrowEncoding(client: ClientBase): Promise<string | null> {
  const { rows } = await client.query<{ server_encoding: string }>('show server_encoding')
  const encoding = rows[0]?.server_encoding ?? ''
  return HOLD_EVERY_CHARACTER.includes(encoding) ? null : encoding
}
