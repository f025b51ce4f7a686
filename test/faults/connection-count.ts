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
  let before: ReadonlySet<string> = new Set()
  while (!isOver()) {
    const now = endsAt(link.port)
    held = Math.max(held, [...now].filter((end) => before.has(end)).length)
    before = now
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

/**
 * The other ends of connections of this machine to a port of 127.0.0.1. Linux reads its table piece by
 * piece, so one look may find a connection and, later on in the table, one that was made after it
 * was closed. Those that two looks in a row find were open at one time: between the two.
 */
function endsAt(port: number): ReadonlySet<string> {
  const isOurs = ` ${loopback(port)} ${ESTABLISHED} `
  const lines = readTcpTable().split('\n')
  return new Set(
    lines.filter((line) => line.includes(isOurs)).map((line) => line.trim().split(' ')[1] ?? ''),
  )
}
