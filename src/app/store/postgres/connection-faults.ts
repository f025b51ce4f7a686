// Why a server can't be used, as a sentence for whoever types a command or reads the log: what is
// wrong, and what to do. Never the driver's or the server's own words, which may hold what was configured.
import { ConfigurationError, StoreUnavailableError } from '../../errors.ts'
import { isConnectionLost, sqlState, storeError } from './faults.ts'
import { UnusableDatabaseError } from './opening.ts'
import { SchemaMismatchError } from './schema.ts'
import { serverPlace } from './server-place.ts'
import { mistrustCode, tlsRefusal } from './tls-faults.ts'

type Sentences = Readonly<Record<string, (server: string, database: string) => string>>

/** By the code of the system or of the server. */
const SENTENCES: Sentences = {
  ECONNREFUSED: (server) =>
    `${server} refuses connections: is PostgreSQL running there, and is the port right?`,
  ENOTFOUND: (server) => `no address is known for ${server}: is the name of the host right?`,
  EAI_AGAIN: (server) => `the address of ${server} can't be looked up: is the name service there?`,
  '28P01': () => 'the server refuses the password: set the right one in the URL or in PGPASSWORD.',
  '28000': () =>
    'the server refuses this user or this way to connect: has pg_hba.conf a line for it, and does it ask for TLS (add sslmode=require to the URL)?',
  '3D000': (_, database) =>
    `the server has no database "${database}": create it, or correct the URL.`,
  '42501': () => 'this user may not use the database or its tables: grant it, or own them.',
  '42P07': (_, database) =>
    `tables of another program are in the database "${database}": give the service one of its own.`,
  '53300': () => 'the server has no connection left: raise max_connections, or close some.',
  '57P03': () => 'the server is starting up or shutting down: try again.',
}

const TIMED_OUT = /^(Connection terminated due to connection timeout|timeout e|Query read timeout)/

/**
 * The error that a start on a database ends with: ConfigurationError where only another
 * configuration, another version or somebody at the server helps, and no other start.
 */
export function startError(url: string, error: UnusableDatabaseError): Error {
  const message = `The PostgreSQL database can't be used: ${startFault(url, error)}`
  const { cause } = error
  if (cause === undefined || cause instanceof SchemaMismatchError) {
    return new ConfigurationError(message, { cause: error })
  }
  // A machine's clock may be set a moment after its services have begun.
  const mayPass = mistrustCode(cause) === 'CERT_NOT_YET_VALID' || knownFault(url, cause) === null
  return mayPass
    ? new Error(message, { cause: error })
    : new ConfigurationError(message, { cause: error })
}

/** The fault of something that is tried again: where it may pass, with the reason as a sentence. */
export function passingFault(url: string, error: unknown): unknown {
  const told = storeError(error)
  if (!(told instanceof StoreUnavailableError)) return told
  return new StoreUnavailableError(connectionFault(url, error), { cause: told })
}

/** Why the service can't start on a database, in words that go on after "can't be used:". */
export function startFault(url: string, error: unknown): string {
  const cause = error instanceof UnusableDatabaseError ? error.cause : error
  return knownFault(url, cause) ?? messageOf(error).replace(/\.?$/, '.')
}

/** Why a database can't be used, in words that go on after "can't be used:". */
export function connectionFault(url: string, error: unknown): string {
  if (error instanceof UnusableDatabaseError && error.cause !== undefined) {
    return connectionFault(url, error.cause)
  }
  const known = knownFault(url, error)
  if (known !== null) return known
  const server = serverOf(url)
  const message = messageOf(error)
  if (TIMED_OUT.test(message) || codeOf(error) === 'ETIMEDOUT') {
    return `${server} gave no answer in time: is the address right, and does a firewall let it through?`
  }
  if (isConnectionLost(error)) {
    return `the connection to ${server} was lost (${codeOf(error) || 'closed'}): try again.`
  }
  const told = storeError(error)
  return (told instanceof Error ? told.message : String(told)).replace(/\.?$/, '.')
}

/** The sentence for what only another configuration or the server's operator can change. */
function knownFault(url: string, error: unknown): string | null {
  const sentence = SENTENCES[codeOf(error)]
  if (sentence !== undefined) {
    return sentence(serverOf(url), serverPlace(url).database)
  }
  const refused = tlsRefusal(error)
  if (refused !== null) return `${refused}.`
  // The driver gives no code to what it says of itself.
  return /SASL|password must be a string/.test(messageOf(error))
    ? 'the server asks for a password: set PGPASSWORD, or use ~/.pgpass.'
    : null
}

function serverOf(url: string): string {
  const { host, port } = serverPlace(url)
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}

/**
 * Runs `work` on the database of a URL. What it rejects with is told as a sentence: what can't be
 * done with the database (`what`, as in "verified"), and why.
 */
export async function withReason<Result>(
  what: string,
  url: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const reason = connectionFault(url, error)
    throw new Error(`The PostgreSQL database can't be ${what}: ${reason}`, { cause: error })
  }
}

/** Of several addresses that were tried, the first one's. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  const state = sqlState(error)
  if (state !== null) return state
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
