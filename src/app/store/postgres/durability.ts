// Whether the server flushes what it commits, and its synchronous standby too: an operator can change
// that while it runs, and behind the address may soon be another server.
import type { Client } from 'pg'
import { StoreUnavailableError } from '../../errors.ts'

/** As an expression of SQL. */
export const FLUSHES = "current_setting('fsync')::boolean"

/** Why nothing is stored where it does not, in words that go on after "can't be used:". */
export const NOT_FLUSHING =
  'the server runs with fsync=off and would lose messages with its power: set fsync=on'

/** Throws StoreUnavailableError where the server does not flush. */
export function requireFlushes(flushes: boolean): void {
  if (!flushes) throw new StoreUnavailableError(`The database can't be used: ${NOT_FLUSHING}.`)
}

/** Where the server warns that it commits without the standby; its words are in any language. */
const GIVES_UP_STANDBY = 'SyncRepWaitForLSN'

/** A commit that no standby is known to have; what is stored after it waits for both. */
export class UnconfirmedCommitError extends StoreUnavailableError {
  constructor() {
    super('PostgreSQL committed without its synchronous standby: somebody cancelled the wait.')
  }
}

/**
 * Runs a statement that commits. Rejects with UnconfirmedCommitError where its wait for the synchronous
 * standby was cancelled: the server calls that a success, and only warns.
 */
export async function withConfirmedCommit<Result>(
  client: Client,
  run: () => Promise<Result>,
): Promise<Result> {
  let isConfirmed = true
  const onNotice = ({ routine }: { routine?: string | undefined }) => {
    if (routine === GIVES_UP_STANDBY) isConfirmed = false
  }
  client.on('notice', onNotice)
  try {
    const result = await run()
    if (!isConfirmed) throw new UnconfirmedCommitError()
    return result
  } finally {
    client.off('notice', onNotice)
  }
}
