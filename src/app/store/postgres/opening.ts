// From a server that may not be there yet to one with our schema.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { StoreUnavailableError } from '../../errors.ts'
import { connectAlone, leave } from './connections.ts'
import { FLUSHES, NOT_FLUSHING } from './durability.ts'
import { narrowEncoding } from './encoding.ts'
import { refusal, storeError } from './faults.ts'
import { isUnfinished } from './identity.ts'
import { sharesSessions } from './pooler.ts'
import { migrate, requireSchema, TableInUseError } from './schema.ts'

const RETRY_MS = 1000
/**
 * Pauses before another try of what waited for a table. Storing stands still while it waits, a fifth of a
 * second for each table: so for a small part of the time, however long somebody uses the table.
 */
const PAUSES_FOR_A_TABLE = 3

/** A database that waiting makes no better: a wrong password, no such database, a newer schema. */
export class UnusableDatabaseError extends Error {
  override readonly name = 'UnusableDatabaseError'
}

/**
 * Connects once and brings the schema up to date. Rejects with UnusableDatabaseError where only
 * another configuration helps, and with the fault where trying again may.
 */
export function prepareDatabase(url: string): Promise<void> {
  return prepare(url, requireFinished)
}

/** The same for a database that a store is being copied to. */
export function prepareTarget(url: string): Promise<void> {
  return prepare(url, async () => {})
}

async function prepare(url: string, check: (client: Client) => Promise<void>): Promise<void> {
  let client: Client | null = null
  try {
    client = await connectAlone(url)
    await requireDurability(client)
    await requireSessions(client, url)
    await migrate(client)
    await requireSchema(client)
    // Last, since a copy out of such a database needs the schema of today.
    await requireEncoding(client)
    await check(client)
  } catch (error) {
    throw unusable(error) ?? error
  } finally {
    if (client !== null) leave(client)
  }
}

export type Waiting = {
  /** What the first try failed with. */
  readonly after: unknown
  readonly isWanted: () => boolean
  readonly onFailure: (error: unknown) => void
}

/** Tries until it succeeds, `isWanted` says no more, or it can't succeed. Tells of each failure. */
export async function prepareEventually(
  url: string,
  { after, isWanted, onFailure }: Waiting,
): Promise<void> {
  for (let fault = after; ; ) {
    for (let pauses = pausesAfter(fault); pauses > 0; pauses--) {
      await sleep(RETRY_MS)
      if (!isWanted()) return
    }
    try {
      return await prepareDatabase(url)
    } catch (error) {
      if (error instanceof UnusableDatabaseError) throw error
      onFailure(error)
      fault = error
    }
  }
}

function pausesAfter(fault: unknown): number {
  return fault instanceof TableInUseError ? PAUSES_FOR_A_TABLE : 1
}

async function requireFinished(client: Client): Promise<void> {
  if (!(await isUnfinished(client))) return
  throw new UnusableDatabaseError(
    'it is a copy that is not complete: run migrate-store again, with the same two URLs',
  )
}

/** A server that was told not to flush would lose what was acknowledged. */
async function requireDurability(client: Client): Promise<void> {
  const { rows } = await client.query<{ flushes: boolean }>(`select ${FLUSHES} as flushes`)
  if (rows[0]?.flushes !== true) throw new UnusableDatabaseError(NOT_FLUSHING)
}

/** A character that the encoding lacks would be refused with its whole request, however often it comes. */
async function requireEncoding(client: Client): Promise<void> {
  const encoding = await narrowEncoding(client)
  if (encoding === null) return
  throw new UnusableDatabaseError(
    `its encoding ${encoding} does not hold every character: create another database with encoding UTF8, and copy into it with migrate-store`,
  )
}

/** What stores, and who listens, sets up its session once. */
async function requireSessions(client: Client, url: string): Promise<void> {
  if (!(await sharesSessions(client, url))) return
  throw new UnusableDatabaseError(
    'the pooler in front of it does not keep sessions apart: set pool_mode=session there, or connect past it',
  )
}

function unusable(error: unknown): UnusableDatabaseError | null {
  if (error instanceof UnusableDatabaseError) return error
  const refused = refusal(error)
  if (refused === null && storeError(error) instanceof StoreUnavailableError) return null
  const reason = refused ?? (error instanceof Error ? error.message : String(error))
  return new UnusableDatabaseError(reason, { cause: error })
}
