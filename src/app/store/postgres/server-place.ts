// Where a URL leads, as the driver reads it: the URL, its parameters, PGHOST and the like, defaults.
import { TlsClient } from './tls-client.ts'

export type ServerPlace = {
  /** A name, an address, or the directory of a socket. */
  readonly host: string
  readonly port: number
  readonly database: string
}

/** The server and the database of a URL, without the user and the password. */
export function serverPlace(url: string): ServerPlace {
  const { host, port, database = '' } = new TlsClient({ connectionString: url })
  return { host, port, database }
}
