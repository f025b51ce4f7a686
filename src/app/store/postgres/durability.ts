// Whether the server flushes what it commits: its operator can change that while it runs, and
// behind the address may soon be another server.
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
