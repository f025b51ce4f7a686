// A real PostgreSQL for tests: one a test file, on loopback, in a directory that goes with it.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { type ClusterOptions, writeCluster } from './cluster-files.ts'
import { freePort } from './free-port.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { lockFileOf, releaseSegment } from './shared-memory.ts'
import { privateDirectory, unprivileged } from './unprivileged.ts'
import { until, untilInPlace } from './until.ts'

const PASSWORD = 'a-test-password'
/** How long a connection may take to end: a signal asks for it, which a busy machine is late to hear. */
const DISCONNECT_MS = 10_000
/** How long a statement may wait for its connection; whoever asks whether there is one asks again. */
const CONNECT_MS = 20_000
const ASKED_MS = 2000
/** How long an immediate shutdown may take: after five seconds a server kills what does not end. */
const QUIT_MS = 10_000

export type ServerOptions = ClusterOptions & {
  /** More lines of postgresql.conf, as `name=value`. */
  readonly settings?: readonly string[]
}

let databases = 0

const servers = new Set<PostgresServer>()
process.once('exit', () => {
  for (const server of servers) server.remove()
})

/** A cluster of its own. `stop` it: it ends with the process at the latest. */
export class PostgresServer {
  readonly directory: string
  readonly port: number
  readonly #settings: readonly string[]
  readonly #via: readonly string[]
  #process: ChildProcess | null = null

  private constructor(directory: string, port: number, { settings = [], via = [] }: ServerOptions) {
    this.directory = directory
    this.port = port
    this.#settings = settings
    this.#via = via
    servers.add(this)
  }

  /** Creates a cluster and starts it. */
  static async start(options: ServerOptions = {}): Promise<PostgresServer> {
    const server = await PostgresServer.create(options)
    await server.start()
    return server
  }

  /** Creates a cluster that is not running yet. */
  static async create(options: ServerOptions = {}): Promise<PostgresServer> {
    const server = await PostgresServer.at(privateDirectory(), options)
    writeCluster(server.directory, options)
    return server
  }

  /** A cluster whose files are in a directory already. */
  static async at(directory: string, options: ServerOptions = {}) {
    return new PostgresServer(directory, await freePort(), options)
  }

  /** Starts the server and waits until it answers. */
  async start(): Promise<void> {
    const settings = [
      ...[`port=${this.port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='],
      ...['shared_buffers=64MB', 'max_connections=60', 'logging_collector=off'],
      // Among its files, with which it goes however the server ends.
      'dynamic_shared_memory_type=mmap',
      ...this.#settings,
    ]
    // After a crash a new postmaster gives up while processes of the last one still end.
    await until('PostgreSQL answers', async () => {
      if (this.#isEnded()) this.#spawn(settings)
      return this.answers()
    })
  }

  #spawn(settings: readonly string[]): void {
    const log = openSync(`${this.directory}.log`, 'a')
    const postgres = join(postgresBinaries(), 'postgres')
    const [command = postgres, ...via] = [...this.#via, postgres]
    const args = ['-D', this.directory, ...settings.flatMap((setting) => ['-c', setting])]
    const options = { ...unprivileged(), stdio: ['ignore', log, log] } satisfies SpawnOptions
    this.#process = spawn(command, [...via, ...args], options)
    closeSync(log)
    // It is removed when the process exits, and must not keep it from that.
    this.#process.unref()
  }

  /** Everything it has said. */
  get log(): string {
    return readFileSync(`${this.directory}.log`, 'utf8')
  }

  #isEnded(): boolean {
    const running = this.#process
    return running === null || running.exitCode !== null || running.signalCode !== null
  }

  /** Whether it takes connections. */
  async answers(): Promise<boolean> {
    try {
      await this.#query('select 1', 'postgres', ASKED_MS)
      return true
    } catch {
      return false
    }
  }

  /** Runs a statement as the superuser; resolves with its rows. */
  query<Row extends object>(sql: string, database = 'postgres'): Promise<Row[]> {
    return this.#query<Row>(sql, database, CONNECT_MS)
  }

  async #query<Row extends object>(sql: string, database: string, connectMs: number) {
    const client = new Client({
      connectionString: this.url(database),
      connectionTimeoutMillis: connectMs,
    })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Row>(sql)).rows
    } finally {
      await client.end().catch(() => {})
    }
  }

  /** Ends what the service has open here; resolves with how many connections, once they are gone. */
  async disconnectService(): Promise<number> {
    const ended = await this.query(
      `select pg_terminate_backend(pid, ${DISCONNECT_MS}) from pg_stat_activity
       where application_name = 'whatsapp-webhook-service'`,
    )
    return ended.length
  }

  /** Creates an empty database; resolves with its URL. `options` end the statement. */
  async newDatabase(options = ''): Promise<string> {
    const name = `test_${process.pid}_${++databases}`
    await this.query(`create database ${name} ${options}`)
    return this.url(name)
  }

  /** The URL of a database, for a user whom its pg_hba.conf lets in without a look at the password. */
  url(database: string, user = 'postgres'): string {
    return `postgresql://${user}:${PASSWORD}@127.0.0.1:${this.port}/${database}`
  }

  /** Ends every process of it at once, as a crash of the machine would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it in order, without waiting for clients. */
  async stop(): Promise<void> {
    await this.#end('SIGINT')
  }

  /** Ends it and removes its files and its shared memory. Waits in place: a process that exits can't else. */
  remove(): void {
    servers.delete(this)
    if (!this.#isEnded()) this.#quit()
    releaseSegment(this.directory)
    rmSync(`${this.directory}.log`, { force: true })
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Ends it as fast as it can while it still gives its shared memory back; the lock file goes last. */
  #quit(): void {
    const lock = lockFileOf(this.directory)
    this.#process?.kill('SIGQUIT')
    untilInPlace(() => !existsSync(lock), QUIT_MS)
    this.#process?.kill('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const running = this.#process
    if (running === null || this.#isEnded()) return
    running.ref()
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await ended
  }
}
