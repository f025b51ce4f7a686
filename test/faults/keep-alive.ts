// A sender's connection: one request after another on a bare socket, since fetch() costs more than
// the service that is to be overrun.
import { connect, type Socket } from 'node:net'
import { signature } from '../support/signed.ts'

/** Status 0: the connection ended without one. */
export type Answer = { readonly status: number; readonly retryAfter: boolean }
export type OnAnswer = (answer: Answer) => void

const NO_ANSWER: Answer = { status: 0, retryAfter: false }
/** Of more at once the kernel drops some, whose senders then wait for seconds. */
const MOST_CONNECTING = 400

/** POST /webhook as bytes; signed by `signedBy`, which need not be who should. */
export function webhookRequest(body: Buffer, signedBy: string = signature(body)): string {
  return (
    `POST /webhook HTTP/1.1\r\nHost: localhost\r\nX-Signature: ${signedBy}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  )
}

/** A keep-alive connection with one request under way at a time. */
export class KeepAlive {
  readonly #socket: Socket
  #received = ''
  #onAnswer: OnAnswer | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8').on('data', (text: string) => this.#receive(text))
    socket.on('close', () => this.#settle(NO_ANSWER))
  }

  static open(port: number): Promise<KeepAlive> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.on('error', reject).once('connect', () => resolve(new KeepAlive(socket)))
    })
  }

  /** Sends what webhookRequest() made. */
  send(request: string, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer
    if (this.#socket.destroyed) this.#settle(NO_ANSWER)
    else this.#socket.write(request)
  }

  close(): void {
    this.#onAnswer = undefined
    this.#socket.destroy()
  }

  #receive(text: string): void {
    this.#received += text
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd === -1) return
    const head = this.#received.slice(0, headEnd)
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1])
    if (Buffer.byteLength(this.#received) < headEnd + 4 + length) return
    this.#received = ''
    this.#settle({
      status: Number(head.slice(9, 12)),
      retryAfter: /^retry-after: *[1-9]\d*\r?$/im.test(head),
    })
  }

  #settle(answer: Answer): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    onAnswer?.(answer)
  }
}

/** Opens so many, no more at once than a listening socket lets wait. */
export async function openConnections(port: number, count: number): Promise<KeepAlive[]> {
  const all: KeepAlive[] = []
  while (all.length < count) {
    const some = Math.min(MOST_CONNECTING, count - all.length)
    all.push(...(await Promise.all(Array.from({ length: some }, () => KeepAlive.open(port)))))
  }
  return all
}
