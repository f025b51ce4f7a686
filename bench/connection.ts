// One keep-alive connection that speaks just enough HTTP/1.1 to count answers: the less a request
// costs here, the more of the machine is left to the server that is measured.
import { createConnection, type Socket } from 'node:net'

/** Told of each answer; status 0 stands for a connection that broke or an answer without length. */
export type OnAnswer = (status: number, body: Buffer) => void

const EMPTY = Buffer.alloc(0)
const BROKEN = 0
const CONTENT_LENGTH = /content-length: *(\d+)/i

/** A connection over loopback with one request under way at a time. */
export class Connection {
  readonly #socket: Socket
  #received: Buffer = EMPTY
  #onAnswer: OnAnswer | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk as Buffer))
    socket.on('error', () => this.#settle(BROKEN, EMPTY))
    socket.on('close', () => this.#settle(BROKEN, EMPTY))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: '127.0.0.1', port })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Connection(socket))
      })
    })
  }

  /** Sends a whole request; `onAnswer` is called once. */
  send(request: Uint8Array, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer
    if (this.#socket.destroyed) this.#settle(BROKEN, EMPTY)
    else this.#socket.write(request)
  }

  close(): void {
    this.#onAnswer = null
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    const received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const headEnd = received.indexOf('\r\n\r\n')
    if (headEnd === -1) {
      this.#received = received
      return
    }
    const head = received.toString('latin1', 0, headEnd)
    const length = CONTENT_LENGTH.exec(head)?.[1]
    if (length === undefined) {
      this.#settle(BROKEN, EMPTY)
      return
    }
    const bodyStart = headEnd + 4
    const bodyEnd = bodyStart + Number(length)
    if (received.length < bodyEnd) {
      this.#received = received
      return
    }
    this.#received = EMPTY
    this.#settle(Number(head.slice(9, 12)), received.subarray(bodyStart, bodyEnd))
  }

  #settle(status: number, body: Buffer): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = null
    onAnswer?.(status, body)
  }
}

/** Opens several connections at once. */
export function openConnections(count: number, port: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: count }, () => Connection.open(port)))
}
