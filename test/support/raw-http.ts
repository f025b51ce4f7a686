// HTTP byte by byte, for requests that no client library would send.
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export type RawAnswer = {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One connection to a port of 127.0.0.1. Bytes are written and read as Latin-1. */
export class RawConnection {
  /** Resolves when the connection is closed, by whichever side. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  #received = ''
  #open = true
  #notify: () => void = () => {}

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setEncoding('latin1')
    this.#socket.on('data', (text: string) => {
      this.#received += text
      this.#notify()
    })
    // A reset is one way to be closed.
    this.#socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#open = false
        this.#notify()
        resolve()
      })
    })
  }

  /** What arrived and was not taken by `answer` yet. */
  get received(): string {
    return this.#received
  }

  send(bytes: string): void {
    this.#socket.write(bytes, 'latin1')
  }

  /** The next answer. Rejects when the connection ends before a whole one. */
  async answer(): Promise<RawAnswer> {
    for (;;) {
      const answer = this.#take()
      if (answer !== null) return answer
      if (!this.#open) throw new Error(`closed after ${JSON.stringify(this.#received)}`)
      await new Promise<void>((resolve) => {
        this.#notify = resolve
      })
    }
  }

  /** Ends the connection from this side. */
  async close(): Promise<void> {
    this.#socket.destroy()
    await this.closed
  }

  #take(): RawAnswer | null {
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd === -1) return null
    const [statusLine = '', ...lines] = this.#received.slice(0, headEnd).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const end = headEnd + 4 + Number(headers['content-length'] ?? 0)
    if (this.#received.length < end) return null
    const body = this.#received.slice(headEnd + 4, end)
    this.#received = this.#received.slice(end)
    return { status: Number(statusLine.split(' ')[1]), headers, body }
  }
}

/** A connection that is closed after the test. */
export function connectionFor(test: TestContext, port: number): RawConnection {
  const connection = new RawConnection(port)
  test.after(() => connection.close())
  return connection
}

/** The answer to `bytes`, and everything after it, until the server closes the connection. */
export async function lastAnswer(port: number, bytes: string): Promise<RawAnswer> {
  const connection = new RawConnection(port)
  connection.send(bytes)
  const answer = await connection.answer()
  await connection.closed
  return answer
}
