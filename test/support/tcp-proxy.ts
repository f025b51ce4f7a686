// A link that a test can point elsewhere, freeze or cut.

import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Forwards connections on a port of its own to a port that may change. */
export class TcpProxy {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  readonly #abandoned = new Set<Socket>()
  #target: number
  #frozen = false
  #neverCloses = false
  #delayMs = 0
  #bytesASecond = Number.POSITIVE_INFINITY

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#forward(client))
  }

  /** Listens on a free port of 127.0.0.1 until the test ends. */
  static async start(test: TestContext, target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    test.after(() => proxy.#close())
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** From which ports it speaks to its target, on connections that nobody has cut or abandoned. */
  get open(): ReadonlySet<number> {
    const servers = [...this.#pairs].map(([, server]) => server)
    const open = servers.filter((server) => !this.#abandoned.has(server))
    return new Set(open.map(({ localPort = 0 }) => localPort))
  }

  /** A database's URL with this link in between. */
  urlFor(url: string): string {
    const through = new URL(url)
    through.port = String(this.port)
    return through.href
  }

  /** New connections go there; those that are open are cut. */
  pointTo(target: number): void {
    this.#target = target
    this.cut()
  }

  /** Ends every connection. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }

  /** Ends every connection in the middle of whatever is said (RST). */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy()
  }

  /** What is open stays open and silent for ever, as if its other end had vanished; new ones work. */
  abandon(): void {
    for (const pair of this.#pairs) {
      this.#abandoned.add(pair[1])
      for (const socket of pair) socket.pause()
    }
  }

  /** Connections stay open, new ones are taken, and not a byte passes. */
  freeze(): void {
    this.#frozen = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  thaw(): void {
    this.#frozen = false
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
  }

  /** What is said still passes, but nobody learns any more that their other end has closed. */
  neverClose(): void {
    this.#neverCloses = true
  }

  /** Everything the server says from now on takes this long to arrive, in ms. */
  slowDown(delayMs: number): void {
    this.#delayMs = delayMs
  }

  /** Everything the server says from now on arrives at this pace. */
  trickle(bytesASecond: number): void {
    this.#bytesASecond = bytesASecond
  }

  #forward(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true })
    const pair = [client, server] as const
    this.#pairs.add(pair)
    for (const [from, to] of [pair, [server, client] as const]) {
      from.on('error', () => {})
      from.on('data', (bytes: Buffer) => {
        if (from === client) to.write(bytes)
        else this.#answer(from, to, bytes)
      })
      from.on('end', () => {
        if (!this.#neverCloses) from.end()
      })
      from.once('close', () => {
        if (this.#neverCloses && !to.destroyed) return
        to.destroy()
        this.#pairs.delete(pair)
      })
      if (this.#frozen) from.pause()
    }
  }

  #answer(server: Socket, client: Socket, bytes: Buffer): void {
    if (this.#bytesASecond < Number.POSITIVE_INFINITY) {
      const some = bytes.subarray(0, this.#bytesASecond)
      client.write(some)
      server.pause()
      server.unshift(bytes.subarray(some.byteLength))
      setTimeout(() => server.resume(), 1000)
      return
    }
    if (this.#delayMs === 0) client.write(bytes)
    else setTimeout(() => client.write(bytes), this.#delayMs)
  }

  #close(): void {
    this.cut()
    this.#server.close()
  }
}
