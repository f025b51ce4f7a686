// Requests whose signature did not hold, kept for a while so that an operator can find out why. In
// memory, bounded by count and bytes, the oldest out first: a flood of them costs neither disk nor
// more memory, and nothing here can ever become a message.
import { hash } from 'node:crypto'
import type { ProviderName } from '../model/event.ts'
import { adviceOn, type Cause } from './advice.ts'
import { diagnose } from './diagnose.ts'
import type { Headers, Provider } from './provider.ts'

/** Of a longer body only so much is kept, and why it was refused can't be told. Bytes. */
const KEPT_BYTES = 64 * 1024

export type QuarantineOptions = {
  readonly maxRequests: number
  readonly maxBytes: number
  readonly providers: readonly Provider[]
}

type Kept = {
  readonly receivedAt: number
  readonly path: string
  readonly provider: Provider
  readonly headers: Headers
  readonly body: Buffer
  /** Of the whole body. */
  readonly bytes: number
  /** Found out when somebody asks, and only once: it can take as long as thousands of requests. */
  cause: Cause | null
}

export type Rejection = {
  /** Milliseconds since 1970, UTC. */
  readonly receivedAt: number
  readonly path: string
  readonly provider: ProviderName
  readonly cause: Cause
  readonly advice: string
  readonly bytes: number
  /** Hex, of what was kept of the body. */
  readonly sha256: string
  readonly body: Buffer
}

export type Refused = {
  readonly path: string
  readonly provider: Provider
  readonly headers: Headers
  readonly body: Buffer
  readonly receivedAt: number
}

/** The bounded list of refused requests. */
export class Quarantine {
  readonly #options: QuarantineOptions
  #kept: Kept[] = []
  #bytes = 0

  constructor(options: QuarantineOptions) {
    this.#options = options
  }

  add({ path, provider, headers, body, receivedAt }: Refused): void {
    const { maxRequests, maxBytes } = this.#options
    const size = Math.min(body.length, KEPT_BYTES)
    if (maxRequests === 0 || size > maxBytes) return
    const kept: Kept = {
      receivedAt,
      path,
      provider,
      headers: signaturesIn(headers),
      // A copy: a part of a larger buffer would keep all of it.
      body: Buffer.from(body.subarray(0, size)),
      bytes: body.length,
      cause: null,
    }
    this.#kept.push(kept)
    this.#bytes += size
    while (this.#kept.length > maxRequests || this.#bytes > maxBytes) this.#dropOldest()
  }

  /** The newest first, each with its likely cause. */
  list(): Rejection[] {
    return this.#kept.toReversed().map((kept) => {
      kept.cause ??= this.#causeOf(kept)
      const { headers: _, provider, cause, ...facts } = kept
      return {
        ...facts,
        provider: provider.name,
        cause,
        advice: adviceOn(cause, provider),
        sha256: hash('sha256', kept.body),
      }
    })
  }

  #causeOf({ body, bytes, headers, provider }: Kept): Cause {
    const isWhole = body.length === bytes
    return diagnose({ body, isWhole, headers }, provider, this.#options.providers)
  }

  #dropOldest(): void {
    this.#bytes -= this.#kept.shift()?.body.length ?? 0
  }
}

function signaturesIn(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.includes('signature')))
}
