// Connections to PostgreSQL: how long they wait, how they read numbers, what they begin with.
import { type Client, type ClientBase, Pool, type PoolClient, type QueryConfig, types } from 'pg'
import { sqlState } from './faults.ts'
import { TlsClient } from './tls-client.ts'

/** Until a connection is made, or one of the pool becomes free. */
const CONNECT_TIMEOUT_MS = 3000
/** A statement that takes longer is given up by the server; later still, by us. */
const STATEMENT_TIMEOUT_MS = 10_000
const QUERY_TIMEOUT_MS = 12_000
/** What takes the server no time. */
const SETTING_TIMEOUT_MS = 2000
const IDLE_MS = 60_000
/** What stands between may forget a connection on which nothing is said; clouds do after minutes. */
const KEEP_ALIVE_MS = 30_000

const BIGINT = types.builtins.INT8

/** Our numbers stay far below 2^53. */
const numbers = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === BIGINT ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
}

/**
 * Whatever the defaults of the server, the database or the user are: a commit is durable when it is
 * acknowledged, whoever waited for another transaction sees what that one stored, and a transaction
 * may take any time. That limit came with PostgreSQL 17; statements have limits of ours.
 */
const STORING = `set synchronous_commit = on;
  set default_transaction_isolation = 'read committed';
  select set_config(name, '0', false) from pg_settings where name = 'transaction_timeout'`

// Compiling queries of milliseconds to machine code takes longer than running them.
const SESSION = `${STORING}; set jit = off; set client_min_messages = warning;
  set statement_timeout = ${STATEMENT_TIMEOUT_MS};
  set idle_in_transaction_session_timeout = ${STATEMENT_TIMEOUT_MS}`

function settings(url: string) {
  return {
    connectionString: url,
    types: numbers,
    application_name: 'whatsapp-webhook-service',
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  }
}

/**
 * A plan is made once a connection, when tables may still be small, and kept: whoever stores looks
 * rows up one by one, so a plan that reads a whole table is never the right one.
 */
const WRITER_SESSION = `${SESSION}; set enable_seqscan = off; set plan_cache_mode = force_generic_plan`

/**
 * Up to `max` connections that read, each made when it is needed, and told of when it is: `pid` is the
 * server's process behind it. Errors of idle ones are no concern: they are replaced.
 */
export function createPool(
  url: string,
  max: number,
  onMade: (client: ClientBase, pid: number) => void = () => {},
): Pool {
  const pool = new Pool({
    ...settings(url),
    Client: TlsClient,
    max,
    idleTimeoutMillis: IDLE_MS,
    onConnect: async (client) => {
      await begin(client, SESSION, CONNECT_TIMEOUT_MS)
      const text = 'select pg_backend_pid() as pid'
      const { rows } = await client.query<{ pid: number }>(
        withTimeLimit({ text }, CONNECT_TIMEOUT_MS),
      )
      onMade(client, rows[0]?.pid ?? 0)
    },
  })
  pool.on('error', () => {})
  return pool
}

/** Makes the connection that writes in the time that is left, in ms. */
export async function connectWriter(url: string, msLeft: () => number): Promise<Client> {
  const client = new TlsClient({ ...settings(url), connectionTimeoutMillis: msLeft() })
  return await connected(client, WRITER_SESSION, msLeft)
}

async function connected(client: Client, session: string, msLeft: () => number): Promise<Client> {
  try {
    await client.connect()
    await begin(client, session, msLeft())
    return client
  } catch (error) {
    leave(client)
    throw error
  }
}

/** Ends a connection, and waits for nobody: what is on its other end may never answer. */
export function leave(client: Client): void {
  void client.end().catch(() => {})
}

/**
 * The time limit of a connection ends when it is made, and a link may freeze right then: so its
 * first statement has one of its own. Whoever uses it learns of its loss from the query that fails.
 */
async function begin(client: ClientBase, session: string, ms: number): Promise<void> {
  client.on('error', () => {})
  await client.query(withTimeLimit({ text: session }, ms))
}

/** A query that is given up after so many ms; the driver takes that, though its types do not tell. */
export function withTimeLimit(query: QueryConfig, ms: number): QueryConfig {
  return Object.assign(query, { query_timeout: ms })
}

/**
 * Runs a statement that may take so many ms, also where others may not take as long: then it takes two
 * round trips more.
 */
export async function withStatementTime<Result>(
  client: Client,
  ms: number,
  run: () => Promise<Result>,
): Promise<Result> {
  if (ms <= STATEMENT_TIMEOUT_MS) return await run()
  await limitStatements(client, ms)
  try {
    const result = await run()
    await resetLimit(client)
    return result
  } catch (error) {
    // After anything but an answer the statement may still be under way.
    if (sqlState(error) !== null) await resetLimit(client)
    throw error
  }
}

async function limitStatements(client: Client, ms: number): Promise<void> {
  const text = `set statement_timeout = ${Math.ceil(ms)}`
  await client.query(withTimeLimit({ text }, SETTING_TIMEOUT_MS))
}

/** What ran before it counts, so a connection that can't be told any more is only left. */
async function resetLimit(client: Client): Promise<void> {
  await limitStatements(client, STATEMENT_TIMEOUT_MS).catch(() => leave(client))
}

/** Runs `work`; a connection on which it takes longer than so many ms is ended, and `work` rejects. */
export async function withinTime<Result>(
  client: Client,
  ms: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const timer = setTimeout(() => leave(client), ms)
  try {
    return await work()
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Connects for work that stores, migrates or copies: nobody shares the connection, a statement may
 * take any time, and what it commits is durable.
 */
export async function connectAlone(url: string): Promise<Client> {
  return await connected(createClient(url), STORING, () => CONNECT_TIMEOUT_MS)
}

/** A connection to read with, which nobody shares; its statements may take any time. To be connected. */
export function createClient(url: string): Client {
  const client = new TlsClient({ ...settings(url), query_timeout: 0 })
  client.on('error', () => {})
  return client
}

/** Runs `work` on a connection of the pool; after an error, nobody is given that one again. */
export async function withConnection<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  return await lend(await pool.connect(), work)
}

/** The same with one that was taken out of its pool already. */
export async function lend<Result>(
  client: PoolClient,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  try {
    const result = await work(client)
    client.release()
    return result
  } catch (error) {
    client.release(true)
    throw error
  }
}
