// How many connections a service has to a server of PostgreSQL, seen from outside while it is busy.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { PostgresServer } from '../support/postgres-server.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import { ESTABLISHED, loopback, readTcpTable } from './tcp-table.ts'

const PAUSE_MS = 5

/** The most that there were at one time. */
export type MostConnections = {
  /** That the service had not closed, whether anything was at their other end or not. */
  readonly held: number
  /**
   * Of the server, on connections that were not cut or abandoned on the way: of those it learns when
   * it next reads or writes, which is nothing that a service could hasten.
   */
  readonly served: number
}

/** Looks at a link and the server behind it until `isOver`. */
export async function countConnections(
  server: PostgresServer,
  link: TcpProxy,
  isOver: () => boolean,
): Promise<MostConnections> {
  const client = new Client({ connectionString: server.url('postgres') })
  await client.connect()
  let [held, served] = [0, 0]
  while (!isOver()) {
    held = Math.max(held, heldThrough(link.port))
    const { rows } = await client.query<{ client_port: number }>(
      `select client_port from pg_stat_activity
       where application_name = 'whatsapp-webhook-service'`,
    )
    const open = link.open
    served = Math.max(served, rows.filter((row) => open.has(row.client_port)).length)
    await sleep(PAUSE_MS)
  }
  await client.end()
  return { held, served }
}

/** Connections of this machine to a port of 127.0.0.1. */
function heldThrough(port: number): number {
  return readTcpTable().split(` ${loopback(port)} ${ESTABLISHED} `).length - 1
}
