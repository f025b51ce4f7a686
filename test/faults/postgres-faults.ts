// What the fault tests of PostgreSQL share: servers, and how often and how long each fault is tried.
import type { TestContext } from 'node:test'
import { PostgresServer, type ServerOptions } from '../support/postgres-server.ts'
import { until } from '../support/until.ts'
import type { Sender } from './sender.ts'

/** Faults of each kind, one after the other. */
export const RESTARTS = Number(process.env['RESTARTS'] ?? 4)
/** The same of faults that take seconds each. */
export const SLOW_FAULTS = Number(process.env['RESTARTS'] ?? 1)
/** Messages that are acknowledged before each. */
const ACKNOWLEDGED_EACH = Number(process.env['ACKNOWLEDGED_EACH'] ?? 50)

/** A server that ends with the test at the latest. */
export async function startServer(
  t: TestContext,
  options: ServerOptions = {},
): Promise<PostgresServer> {
  const server = await PostgresServer.start(options)
  t.after(() => server.remove())
  return server
}

/** Far more than it takes, outages of some seconds included. */
const PATIENCE_MS = 60_000

/** Waits until so many more messages are acknowledged. */
export async function acknowledged(sender: Sender, more = ACKNOWLEDGED_EACH): Promise<void> {
  const enough = sender.acknowledged + more
  await until(`${more} messages are stored`, () => sender.acknowledged >= enough, PATIENCE_MS)
}
