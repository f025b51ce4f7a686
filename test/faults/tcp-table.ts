// The connections of this machine over IPv4, as Linux lists them.
import { existsSync, readFileSync } from 'node:fs'

const TABLE = '/proc/net/tcp'

/** The state of a connection that neither end has closed. */
export const ESTABLISHED = '01'

/** The whole list, a line each. Throws where the system does not tell: none is not a count. */
export function readTcpTable(): string {
  if (existsSync(TABLE)) return readFileSync(TABLE, 'utf8')
  throw new Error(`Connections are counted on Linux: no ${TABLE} here.`)
}

/** A port of 127.0.0.1 as the list has it. */
export function loopback(port: number): string {
  return `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
}
