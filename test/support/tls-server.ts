// A PostgreSQL server that encrypts, with a certificate that a test can change while it runs.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Certificate, issuedBy, selfSigned } from './certificates.ts'
import { PostgresServer } from './postgres-server.ts'
import { handOver } from './unprivileged.ts'
import { until } from './until.ts'

/** Reached at `localhost`; its first certificate is vouched for by `authority`. */
export class TlsServer {
  readonly server: PostgresServer
  readonly authority: Certificate
  readonly good: Certificate
  #issued = 0

  private constructor(server: PostgresServer) {
    this.server = server
    this.authority = selfSigned(server.directory, 'authority.example')
    this.good = this.issue('localhost')
  }

  /** Starts one. Remove its `server`, with which its certificates go. */
  static async start(): Promise<TlsServer> {
    const files = ['ssl_cert_file=server.pem', 'ssl_key_file=server.key']
    const server = await PostgresServer.create({ settings: ['ssl=on', ...files] })
    const tls = new TlsServer(server)
    tls.#show(tls.good)
    await server.start()
    return tls
  }

  /** A certificate of its authority for this host. */
  issue(host: string, days?: number): Certificate {
    const { directory } = this.server
    const options = { directory, name: `issued-${++this.#issued}`, host }
    return issuedBy(this.authority, days === undefined ? options : { ...options, days })
  }

  /** Shows another certificate from now on, to whoever connects anew. */
  async rotate(to: Certificate): Promise<void> {
    const before = await this.#loadedAt()
    this.#show(to)
    await this.server.query('select pg_reload_conf()')
    await until('it is shown', async () => (await this.#loadedAt()) > before)
  }

  /** When the server last read its files, in milliseconds: `pg_reload_conf` only asks for it. */
  async #loadedAt(): Promise<number> {
    const [row] = await this.server.query<{ at: Date }>('select pg_conf_load_time() as at')
    return row?.at.getTime() ?? 0
  }

  /** The URL of a database by the host's name, with the certificate checked against this file. */
  urlFor(url: string, root: string = this.authority.certificate): string {
    return `${url.replace('127.0.0.1', 'localhost')}?sslmode=verify-full&sslrootcert=${root}`
  }

  #show({ key, certificate }: Certificate): void {
    const { directory } = this.server
    for (const [from, name] of [
      [key, 'server.key'],
      [certificate, 'server.pem'],
    ] as const) {
      copyFileSync(from, join(directory, name))
      handOver(join(directory, name))
    }
  }
}
