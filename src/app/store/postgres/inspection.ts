// A look at a server and the schema in it, for whoever wonders why the service does not start.
import type { Client } from 'pg'
import { connectionFault } from './connection-faults.ts'
import { createClient } from './connections.ts'
import { FLUSHES } from './durability.ts'
import { narrowEncoding } from './encoding.ts'
import { remedyForCreators } from './foreign-creators.ts'
import { isUnfinished } from './identity.ts'
import { sharesSessions } from './pooler.ts'
import { type SchemaState, schemaState } from './schema.ts'

/** The oldest server that is tested, as server_version_num. */
const OLDEST_SERVER = 150_000

export type Inspection = {
  /** The server's version, as it writes it. */
  readonly version: string
  /** Whether it is as new as the service needs. */
  readonly isSupported: boolean
  /** Whether it flushes what it acknowledges. */
  readonly isDurable: boolean
  /** The database's encoding, where it does not hold every character; else null. */
  readonly narrowEncoding: string | null
  /** Whether a connection is a session of its own, and no pooler mixes them. */
  readonly keepsSessions: boolean
  readonly schema: SchemaState
  /** A store was being copied into it, and not all of it is there. */
  readonly isUnfinished: boolean
  /** The SQL after which nobody else may create in the schema; null where nobody may. */
  readonly remedyForCreators: string | null
}

/** Connects and looks. Rejects with what keeps it from that, in words that hold no secret. */
export async function inspectDatabase(url: string): Promise<Inspection> {
  const client = createClient(url)
  try {
    await client.connect()
    return await inspect(client, url)
  } catch (error) {
    throw new Error(connectionFault(url, error), { cause: error })
  } finally {
    await client.end().catch(() => {})
  }
}

async function inspect(client: Client, url: string): Promise<Inspection> {
  await client.query("set statement_timeout = '3s'")
  const keepsSessions = !(await sharesSessions(client, url))
  const { rows } = await client.query<{ version: string; number: number; flushes: boolean }>(
    `select current_setting('server_version') as version, ${FLUSHES} as flushes,
       current_setting('server_version_num')::integer as number`,
  )
  const { version, number, flushes } = rows[0] ?? { version: '', number: 0, flushes: false }
  const schema = await schemaState(client)
  return {
    version,
    isSupported: number >= OLDEST_SERVER,
    isDurable: flushes,
    narrowEncoding: await narrowEncoding(client),
    keepsSessions,
    schema,
    isUnfinished: schema.found > 0 && (await isUnfinished(client)),
    remedyForCreators: await remedyForCreators(client),
  }
}
