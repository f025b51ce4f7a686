// A step of the expiry of raw bodies. What it deletes is written to the log first, page by page, so it
// waits until the log begins anew: the log stays as short as one step, and takes no more of the disk.
import type { ExpiryStep } from '../store.ts'
import type { Look } from './expiry.ts'

const READER =
  'a read of the database file does not end and keeps the log from being copied back: look for a program that has the file open beside the service, as a backup, an export or a shell of sqlite3, and end it'
const NO_ROOM = 'the disk of the database has no room for the log of a deletion: free some'
/**
 * A try waits for nobody and costs next to nothing, and where reads follow each other most tries fail: with
 * fewer of them a busy service would store more than expires.
 */
const AGAIN_MS = 250

/** What a step is made of; each may reject as MessageStore.insert does. */
export type ExpirySteps = {
  readonly look: () => Promise<Look>
  /** Resolves with whether the next commit begins the log anew. */
  readonly restartLog: () => Promise<boolean>
  /** Resolves with whether there was room for it. */
  readonly deleteFound: () => Promise<boolean>
}

/** Deletes a part of what has expired, or says what keeps it from that. */
export async function expireStep(steps: ExpirySteps): Promise<ExpiryStep> {
  const seen = await steps.look()
  if (seen !== 'found') return seen === 'end' ? 'done' : 'more'
  if (!(await steps.restartLog())) return { heldBy: READER, againMs: AGAIN_MS }
  return (await steps.deleteFound()) ? 'more' : { heldBy: NO_ROOM, againMs: AGAIN_MS }
}
