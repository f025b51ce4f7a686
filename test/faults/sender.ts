// A sender under faults: many connections, a fifth of the messages sent again, and a record of what
// it was told. It tries nothing a second time on its own, so that the record is the whole truth.
import { createHash } from 'node:crypto'
import { randomFrom } from '../../src/app/cli/random.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'

/** What a sender knows of a message: stored, refused for good, or perhaps stored. */
export type Verdict = 'ok' | 'rejected' | 'unknown'
export type Sent = { readonly sha256: string; readonly verdict: Verdict }

const CONNECTIONS = 16

type SenderOptions = {
  /** Makes the choices repeatable, and the ids of different senders different. */
  readonly seed: number
  /** The share of messages that are earlier ones again. Default: a fifth. */
  readonly duplicates?: number
}

/** Sends messages to one service after another and remembers every answer. */
export class Sender {
  readonly sent = new Map<string, Sent>()
  /** Answers by status; 0 counts those that never came. */
  readonly statuses = new Map<number, number>()
  /** Answers of 503 that did not say when to come again. */
  withoutRetryAfter = 0
  /** Of the answer that took longest; ms. */
  slowestMs = 0
  readonly #seed: number
  readonly #duplicates: number
  readonly #bodies: { id: string; body: Buffer }[] = []
  readonly #chance: () => number
  #acknowledged = 0

  constructor({ seed, duplicates = 0.2 }: SenderOptions) {
    this.#seed = seed
    this.#duplicates = duplicates
    this.#chance = randomFrom(seed)
  }

  /** Sends over 16 connections until `enough` says so, then until all have their answer. */
  async sendUntil(url: string, enough: () => boolean): Promise<void> {
    const connection = async () => {
      while (!enough()) await this.sendOne(url)
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, connection))
  }

  /** Sends one message, new or again; resolves with the status, 0 where no answer came. */
  async sendOne(url: string): Promise<number> {
    const { id, body } = this.#nextBody()
    const start = performance.now()
    const { status, retryAfter } = await answerTo(url, body)
    this.slowestMs = Math.max(this.slowestMs, performance.now() - start)
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    if (status === 503 && !(Number(retryAfter) > 0)) this.withoutRetryAfter++
    this.#remember(id, body, status)
    return status
  }

  /** Messages that were answered 200. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  #nextBody(): { id: string; body: Buffer } {
    const earlier = this.#bodies[Math.floor(this.#chance() * this.#bodies.length)]
    if (earlier !== undefined && this.#chance() < this.#duplicates) return earlier
    const number = this.#bodies.length
    const id = `fault-${this.#seed}-${number}`
    const body = toBytes(flatBody({ message_id: id, ...saidIn(number) }))
    this.#bodies.push({ id, body })
    return { id, body }
  }

  /** Once stored, always stored; a 503 or no answer leaves it open. */
  #remember(id: string, body: Buffer, status: number): void {
    const before = this.sent.get(id)?.verdict
    const open = status === 0 || status >= 500 || before === 'unknown'
    const verdict = status === 200 || before === 'ok' ? 'ok' : open ? 'unknown' : 'rejected'
    if (verdict === 'ok' && before !== 'ok') this.#acknowledged++
    this.sent.set(id, { sha256: createHash('sha256').update(body).digest('hex'), verdict })
  }
}

/** Who says what in the message with this number: a few people take turns. */
export function saidIn(number: number): { readonly from: string; readonly text: string } {
  return { from: `+1415555${1000 + (number % 37)}`, text: `Message ${number} 🎉` }
}

type Answer = { readonly status: number; readonly retryAfter: string | null }

async function answerTo(url: string, body: Buffer): Promise<Answer> {
  try {
    const answer = await fetch(`${url}/webhook`, {
      method: 'POST',
      headers: { 'x-signature': signature(body) },
      body,
      signal: AbortSignal.timeout(15_000),
    })
    await answer.arrayBuffer()
    return { status: answer.status, retryAfter: answer.headers.get('retry-after') }
  } catch {
    return { status: 0, retryAfter: null }
  }
}
