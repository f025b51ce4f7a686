// A crowd of senders that do not wait for each other: requests fall due at a given rate, whatever
// the service does. Signed beforehand and sent over connections that are open already, so that the
// machine is left to the service; how late they were sent all the same is told apart.
import { createHash } from 'node:crypto'
import { flatBody, toBytes } from '../support/signed.ts'
import { until } from '../support/until.ts'
import { type Answer, type KeepAlive, openConnections, webhookRequest } from './keep-alive.ts'
import { type Sent, saidIn } from './sender.ts'

const TICK_MS = 1
/** Beyond what a service that answers at all could need for all that is under way, in ms. */
const ANSWERED_MS = 60_000
/** One request in so many brings an earlier message again. */
const AGAIN = 5

/** Sends messages of its own to one service and remembers every answer. */
export class OpenLoop {
  /** Answers by status; 0 counts those that never came. */
  readonly statuses = new Map<number, number>()
  /** Answers 503 that did not say when to come again. */
  withoutRetryAfter = 0
  /** Of what was offered last, in ms: from the moment a request was due until it was sent. */
  readonly lateMs: number[] = []
  /** Of what was offered last, in ms: from sending a request until its answer, by status. */
  readonly answeredMs = new Map<number, number[]>()
  readonly #seed: number
  readonly #all: readonly KeepAlive[]
  readonly #idle: KeepAlive[]
  /** Of each message by its number: the request, and whether it was answered 200. */
  readonly #messages: { readonly request: string; stored: boolean }[] = []
  #requests = 0

  private constructor(seed: number, connections: readonly KeepAlive[]) {
    this.#seed = seed
    this.#all = connections
    this.#idle = [...connections]
  }

  static async open(port: number, seed: number, connections: number): Promise<OpenLoop> {
    return new OpenLoop(seed, await openConnections(port, connections))
  }

  /** What the service stores per second when so many senders each wait for their answer. */
  async capacity(seconds: number, senders: number): Promise<number> {
    const start = performance.now()
    const end = start + seconds * 1000
    const before = this.acknowledged
    const sender = () => {
      if (performance.now() < end) this.#send(this.#nextMessage(), sender)
    }
    for (let i = 0; i < senders; i++) sender()
    await this.#answered()
    return (this.acknowledged - before) / ((performance.now() - start) / 1000)
  }

  /**
   * Sends `rate` requests per second, each as soon after it is due as a connection is free.
   * Resolves when all are answered.
   */
  async offer({ rate, seconds }: { rate: number; seconds: number }): Promise<void> {
    const numbers = Array.from({ length: Math.round(rate * seconds) }, () => this.#nextMessage())
    this.lateMs.length = 0
    this.answeredMs.clear()
    const start = performance.now()
    let next = 0
    const sendDue = () => {
      for (; next < numbers.length && this.#idle.length > 0; next++) {
        const lateMs = performance.now() - start - (next * 1000) / rate
        if (lateMs < 0) return
        this.lateMs.push(lateMs)
        this.#send(numbers[next] ?? 0, sendDue)
      }
    }
    const timer = setInterval(sendDue, TICK_MS)
    try {
      const limitMs = seconds * 1000 + ANSWERED_MS
      await until('every request is sent', () => next === numbers.length, limitMs)
    } finally {
      clearInterval(timer)
    }
    await this.#answered()
  }

  close(): void {
    for (const connection of this.#all) connection.close()
  }

  get acknowledged(): number {
    return this.statuses.get(200) ?? 0
  }

  /** The record that the checker compares with what is stored. */
  get sent(): Map<string, Sent> {
    return new Map(
      this.#messages.map(({ stored }, number) => {
        const sha256 = createHash('sha256').update(this.#body(number)).digest('hex')
        return [this.#id(number), { sha256, verdict: stored ? 'ok' : 'unknown' }]
      }),
    )
  }

  #send(number: number, onAnswer: () => void): void {
    const connection = this.#idle.shift()
    const message = this.#messages[number]
    if (connection === undefined || message === undefined) throw new Error('Nothing can be sent.')
    const sentMs = performance.now()
    connection.send(message.request, (answer) => {
      this.#idle.push(connection)
      if (answer.status === 200) message.stored = true
      this.#remember(answer, performance.now() - sentMs)
      onAnswer()
    })
  }

  /** The number of a message to send, new or again. */
  #nextMessage(): number {
    const count = this.#messages.length
    const request = this.#requests++
    // Far apart and not in order, as from senders that were refused and come again.
    if (request % AGAIN === AGAIN - 1) return (Math.imul(request, 0x9e3779b1) >>> 0) % count
    this.#messages.push({ request: webhookRequest(this.#body(count)), stored: false })
    return count
  }

  #remember({ status, retryAfter }: Answer, ms: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    const answeredMs = this.answeredMs.get(status) ?? []
    answeredMs.push(ms)
    this.answeredMs.set(status, answeredMs)
    if (status === 503 && !retryAfter) this.withoutRetryAfter++
  }

  #id(number: number): string {
    return `open-${this.#seed}-${number}`
  }

  #body(number: number): Buffer {
    return toBytes(flatBody({ message_id: this.#id(number), ...saidIn(number) }))
  }

  #answered(): Promise<void> {
    const done = () => this.#idle.length === this.#all.length
    return until('every request is answered', done, ANSWERED_MS)
  }
}
