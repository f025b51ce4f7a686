// What an error of PostgreSQL or of the way to it means for the service.
import type { DatabaseError } from 'pg'
import { StoreUnavailableError } from '../../errors.ts'
import { UnconfirmedCommitError } from './durability.ts'
import { mistrustCode, tlsRefusal, UnusableFileError } from './tls-faults.ts'

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'
const READ_ONLY_TRANSACTION = '25006'
const LOCK_NOT_AVAILABLE = '55P03'
const DISK_FULL = '53100'
/** A transaction stood still for too long, or took too long. */
const TIMED_OUT = ['25P03', '25P04']
/** Raised by our own function, see require_alone_1. */
const NEEDS_TO_BE_ALONE = 'WW001'

/**
 * Classes of conditions that pass: connection, rollback, resources, object state, operator
 * intervention, system error.
 */
const TRANSIENT_CLASSES = new Set(['08', '40', '53', '55', '57', '58'])

/** Conditions at a connection's beginning that only a change of the configuration ends. */
const REFUSED: Readonly<Record<string, string>> = {
  '28000': 'it refuses this user',
  '28P01': 'it refuses the password',
  '3D000': 'it has no database of this name',
  '42501': 'this user may not create or use the tables',
}

/** Codes of the system, and of an encrypted connection that breaks. */
const LOST = /^(E[A-Z]+|ERR_(SSL|OSSL)_\w+)$/

/**
 * Whether a batch may be sent again at once: it was rolled back, nobody knows whether it was, or
 * whether a standby has it.
 */
export function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof UnconfirmedCommitError) return true
  const code = sqlState(error)
  if (code === null) return isConnectionLost(error)
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED || isConnectionCode(code)
}

/** Whether a statement was undone by the server, on a connection that is as good as before. */
export function wasRolledBack(error: unknown): boolean {
  return needsToBeAlone(error) || (sqlState(error)?.startsWith('40') ?? false)
}

/** Whether a batch was rolled back because it changes what others may be changing. */
export function needsToBeAlone(error: unknown): boolean {
  return sqlState(error) === NEEDS_TO_BE_ALONE
}

/**
 * StoreUnavailableError where trying later may succeed; else an error that says what the server
 * answered by its code and place alone: its own words may hold what was to be stored. What neither
 * the server nor the way to it is to blame for is returned as it is.
 */
export function storeError(error: unknown): unknown {
  const code = sqlState(error)
  if (code === null) return isUnreachable(error) ? unreachable(error) : error
  const reason = `PostgreSQL answered ${code}${placeOf(error as DatabaseError)}.`
  const told = mayPass(code) ? new StoreUnavailableError(reason) : new Error(reason)
  // A log names errors by their code alone.
  return Object.assign(told, { code })
}

function isUnreachable(error: unknown): boolean {
  return isConnectionLost(error) || mistrustCode(error) !== null
}

function unreachable(cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError('PostgreSQL could not be reached.', { cause })
}

/** Whether an error of storeError's says that a disk of the server is full. */
export function toldOfNoRoom(error: StoreUnavailableError): boolean {
  return 'code' in error && error.code === DISK_FULL
}

/** A refusal too: what was configured right once is right again when somebody has seen to it. */
function mayPass(code: string): boolean {
  return (
    code === READ_ONLY_TRANSACTION ||
    TIMED_OUT.includes(code) ||
    Object.hasOwn(REFUSED, code) ||
    TRANSIENT_CLASSES.has(code.slice(0, 2))
  )
}

function placeOf({ table, constraint }: DatabaseError): string {
  if (constraint !== undefined) return ` (${constraint})`
  return table === undefined ? '' : ` (${table})`
}

/** Whether a statement gave up because others have a lock that it waited for. */
export function isLockTaken(error: unknown): boolean {
  return sqlState(error) === LOCK_NOT_AVAILABLE
}

/** Why a connection will be refused as long as the configuration stays; null where it may not. */
export function refusal(error: unknown): string | null {
  const code = sqlState(error)
  return code === null ? tlsRefusal(error) : (REFUSED[code] ?? null)
}

/** Whether a code says that the connection ends, or the server does. */
export function isConnectionCode(code: string): boolean {
  return code.startsWith('08') || code.startsWith('57P') || TIMED_OUT.includes(code)
}

/** Whether there is no connection any more, or never was; the driver gives its own words no code. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof UnusableFileError) return false
  if ('syscall' in error || ('code' in error && LOST.test(String(error.code)))) return true
  return /^(Connection terminated|Query read timeout|timeout e|Client has encountered|Client was closed|The server does not support SSL|There was an error establishing an SSL)/.test(
    error.message,
  )
}

/** The code the server answered with; null for an error of another kind. */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error
    ? error.code
    : null
}
