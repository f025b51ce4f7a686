// A pooler in front of a PostgreSQL server.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Client } from 'pg'
import { freePort } from './free-port.ts'
import type { PostgresServer } from './postgres-server.ts'
import { handOver, privateDirectory, unprivileged } from './unprivileged.ts'
import { until } from './until.ts'

type PoolMode = 'session' | 'transaction' | 'statement'

/** Whether this machine has one. */
export function hasPgbouncer(): boolean {
  try {
    execFileSync('pgbouncer', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A process of its own on a port of 127.0.0.1, until the test ends at the latest. */
export class Pgbouncer {
  readonly #server: PostgresServer
  readonly #directory = privateDirectory()
  readonly #port: number
  #process: ChildProcess | null = null

  private constructor(server: PostgresServer, port: number) {
    this.#server = server
    this.#port = port
  }

  /** Starts one that hands on to `server`. */
  static async start(
    test: TestContext,
    server: PostgresServer,
    mode: PoolMode,
  ): Promise<Pgbouncer> {
    const pooler = new Pgbouncer(server, await freePort())
    pooler.#configure(mode)
    test.after(async () => {
      await pooler.kill()
      rmSync(pooler.#directory, { recursive: true, force: true })
    })
    await pooler.start()
    return pooler
  }

  /** A database's URL through it. */
  urlFor(url: string): string {
    const through = new URL(url)
    through.port = String(this.#port)
    return through.href
  }

  /** Starts it, and waits until it hands on. */
  async start(): Promise<void> {
    this.#process = spawn('pgbouncer', [this.#file('pgbouncer.ini')], {
      ...unprivileged(),
      stdio: 'ignore',
    })
    await until('the pooler answers', () => this.#answers())
  }

  /** Ends it at once, with every connection through it. */
  async kill(): Promise<void> {
    const running = this.#process
    if (running === null || running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
    await ended
  }

  #file(name: string): string {
    return join(this.#directory, name)
  }

  #configure(mode: PoolMode): void {
    const files = {
      'users.txt': '"postgres" ""\n',
      'pgbouncer.ini': `[databases]
* = host=127.0.0.1 port=${this.#server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${this.#port}
unix_socket_dir =
auth_type = trust
auth_file = ${this.#file('users.txt')}
pool_mode = ${mode}
default_pool_size = 40
`,
    }
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(this.#file(name), text)
      handOver(this.#file(name))
    }
  }

  async #answers(): Promise<boolean> {
    const client = new Client({ connectionString: this.urlFor(this.#server.url('postgres')) })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
      return true
    } catch {
      return false
    } finally {
      await client.end().catch(() => {})
    }
  }
}
