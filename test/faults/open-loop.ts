// A crowd of senders that do not wait for each other: requests fall due at a given rate, whatever
// the service does. On bare sockets, since fetch() is slower than what is to be overrun.
import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { until } from '../support/until.ts'
import { type Sent, saidIn } from './sender.ts'

type Answer = { readonly status: number; readonly retryAfter: boolean }
type OnAnswer = (answer: Answer) => void

const TICK_MS = 2
const MOST_IN_FLIGHT = 4000
/** Fewer than a listening socket lets wait: beyond that the kernel drops them for seconds. */
const MOST_CONNECTING = 400
/** Beyond what a service that answers at all could need for all that is under way, in ms. */
const ANSWERED_MS = 60_000
/** A connection that was idle for longer is not used again: the service may be closing it. */
const KEPT_MS = 20_000
const CLOSED_LOOP_CONNECTIONS = 64
/** One request in so many brings an earlier message again. */
const AGAIN = 5
const NO_ANSWER: Answer = { status: 0, retryAfter: false }

/** A keep-alive connection with one request under way at a time. */
class Connection {
  readonly #socket: Socket
  #received = ''
  #onAnswer: OnAnswer | undefined
  #usedMs = performance.now()

  constructor(port: number, onConnected: () => void) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.once('connect', onConnected).once('close', onConnected)
    this.#socket.setEncoding('latin1').on('data', (text: string) => this.#receive(text))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#settle(NO_ANSWER))
  }

  /** Whether another request may be sent. */
  get usable(): boolean {
    const { destroyed, readableEnded } = this.#socket
    return !destroyed && !readableEnded && performance.now() - this.#usedMs < KEPT_MS
  }

  send(body: Buffer, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer
    this.#socket.write(
      `POST /webhook HTTP/1.1\r\nHost: localhost\r\nX-Signature: ${signature(body)}\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    )
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(text: string): void {
    this.#received += text
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd === -1) return
    const head = this.#received.slice(0, headEnd)
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1])
    if (this.#received.length < headEnd + 4 + length) return
    this.#received = ''
    this.#settle({
      status: Number(head.slice(9, 12)),
      retryAfter: /^retry-after: *[1-9]\d*\r?$/im.test(head),
    })
  }

  #settle(answer: Answer): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    this.#usedMs = performance.now()
    onAnswer?.(answer)
  }
}

/** Sends messages of its own to one service and remembers every answer. */
export class OpenLoop {
  /** Answers by status; 0 counts those that never came. */
  readonly statuses = new Map<number, number>()
  /** Requests that fell due while as many as may be were under way or connecting. */
  notSent = 0
  /** Answers 503 that did not say when to come again. */
  withoutRetryAfter = 0
  readonly #port: number
  readonly #seed: number
  /** Of each message by its number, whether it was answered 200. */
  readonly #stored: boolean[] = []
  readonly #latenciesMs: number[] = []
  readonly #idle: Connection[] = []
  #connecting = 0
  #inFlight = 0
  #requests = 0

  constructor({ port, seed }: { port: number; seed: number }) {
    this.#port = port
    this.#seed = seed
  }

  /** What the service stores per second when each sender waits for its answer. */
  async capacity(seconds: number): Promise<number> {
    const start = performance.now()
    const end = start + seconds * 1000
    const before = this.acknowledged
    const sender = () => {
      if (performance.now() < end) this.#send(performance.now(), sender)
    }
    for (let i = 0; i < CLOSED_LOOP_CONNECTIONS; i++) sender()
    await this.#answered()
    return (this.acknowledged - before) / ((performance.now() - start) / 1000)
  }

  /** Starts `rate` requests per second; resolves when all that were started are answered. */
  async offer({ rate, seconds }: { rate: number; seconds: number }): Promise<void> {
    const start = performance.now()
    const all = Math.round(rate * seconds)
    this.#latenciesMs.length = 0
    let due = 0
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const now = performance.now() - start
        for (; due < all && (due * 1000) / rate <= now; due++) {
          if (this.#mayStart()) this.#send(start + (due * 1000) / rate)
          else this.notSent++
        }
        if (due < all) return
        clearInterval(timer)
        resolve()
      }, TICK_MS)
    })
    await this.#answered()
  }

  close(): void {
    for (const connection of this.#idle) connection.close()
  }

  get acknowledged(): number {
    return this.statuses.get(200) ?? 0
  }

  /** Of the answers 200 to what was offered last, from the moment a request was due. */
  get p99Ms(): number {
    const sorted = Float64Array.from(this.#latenciesMs).sort()
    return Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0)
  }

  /** The record that the checker compares with what is stored. */
  get sent(): Map<string, Sent> {
    return new Map(
      this.#stored.map((stored, number) => {
        const sha256 = createHash('sha256').update(this.#body(number)).digest('hex')
        return [this.#id(number), { sha256, verdict: stored ? 'ok' : 'unknown' }]
      }),
    )
  }

  #send(dueMs: number, onAnswer: () => void = () => {}): void {
    const connection = this.#connection()
    const number = this.#nextNumber()
    this.#inFlight++
    connection.send(this.#body(number), (answer) => {
      this.#inFlight--
      if (connection.usable) this.#idle.push(connection)
      this.#remember(number, answer)
      if (answer.status === 200) this.#latenciesMs.push(performance.now() - dueMs)
      onAnswer()
    })
  }

  #connection(): Connection {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (last.usable) return last
      last.close()
    }
    return this.#connect()
  }

  #connect(): Connection {
    this.#connecting++
    let connected = false
    return new Connection(this.#port, () => {
      if (!connected) this.#connecting--
      connected = true
    })
  }

  #mayStart(): boolean {
    if (this.#inFlight >= MOST_IN_FLIGHT) return false
    return this.#idle.length > 0 || this.#connecting < MOST_CONNECTING
  }

  #nextNumber(): number {
    const count = this.#stored.length
    const request = this.#requests++
    // Far apart and not in order, as from senders that were refused and come again.
    if (request % AGAIN === AGAIN - 1) return (Math.imul(request, 0x9e3779b1) >>> 0) % count
    this.#stored.push(false)
    return count
  }

  #remember(number: number, { status, retryAfter }: Answer): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    if (status === 200) this.#stored[number] = true
    if (status === 503 && !retryAfter) this.withoutRetryAfter++
  }

  #id(number: number): string {
    return `open-${this.#seed}-${number}`
  }

  #body(number: number): Buffer {
    return toBytes(flatBody({ message_id: this.#id(number), ...saidIn(number) }))
  }

  #answered(): Promise<void> {
    return until('every request is answered', () => this.#inFlight === 0, ANSWERED_MS)
  }
}
