// Collects a request's body as the bytes that arrived, within bounds that hold before anything is
// known about the sender.
import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import { BodyParts } from './body-parts.ts'
import { ByteBudget } from './byte-budget.ts'

/** What every body may take without asking: far more than a message needs. Bytes. */
const FREE_BYTES = 16 * 1024

/** A body that arrives may be given up for others after so long, in ms: Meta's take milliseconds. */
const PATIENCE_MS = 2000

type Arriving = { readonly sinceMs: number; readonly giveUp: () => void }

/**
 * The memory that bodies may hold together, beyond 16 KiB each. Where it is all taken, those that
 * have been arriving for longer than two seconds make room, the longest first: a few senders who hold
 * back the ends of their bodies keep nobody else from being heard.
 */
export class BodyBudget {
  readonly #budget: ByteBudget
  /** In the order in which they began. */
  readonly #arriving = new Set<Arriving>()

  constructor(bytes: number) {
    this.#budget = new ByteBudget(bytes)
  }

  /** A body begins to hold memory; `giveUp` is called where others need it. */
  begins(giveUp: () => void): Arriving {
    const body = { sinceMs: performance.now(), giveUp }
    this.#arriving.add(body)
    return body
  }

  /** A body has arrived, or arrives no more. */
  ends(body: Arriving): void {
    this.#arriving.delete(body)
  }

  /** Takes bytes for a body, or says that they are not to be had. */
  take(bytes: number, body: Arriving): boolean {
    while (!this.#budget.take(bytes)) {
      const [oldest = body] = this.#arriving
      if (oldest === body || performance.now() < oldest.sinceMs + PATIENCE_MS) return false
      this.#arriving.delete(oldest)
      oldest.giveUp()
    }
    return true
  }

  /** Returns bytes that were taken. */
  giveBack(bytes: number): void {
    this.#budget.giveBack(bytes)
  }
}

export type BodyLimits = {
  /** The largest body, in bytes. */
  readonly maxBytes: number
  readonly budget: BodyBudget
}

/**
 * The whole body. Rejects with AppError `body_too_large`, or `overloaded` when large bodies already
 * hold all the memory they may, or others need what this slow one holds. Bytes of the budget go back
 * once the request is closed.
 */
export function collectBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { maxBytes, budget } = limits
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBytes) return Promise.reject(new AppError('body_too_large'))
  return new Promise((resolve, reject) => {
    const parts = new BodyParts()
    let received = 0
    let taken = 0
    let ended = false
    let arriving: Arriving | null = null
    const arrived = () => {
      if (arriving !== null) budget.ends(arriving)
    }
    const release = () => {
      arrived()
      budget.giveBack(taken)
      taken = 0
    }
    const stop = (error: AppError) => {
      request.off('data', collect)
      request.resume()
      parts.clear()
      release()
      reject(error)
    }
    const collect = (chunk: Buffer) => {
      received += chunk.length
      if (received > maxBytes) return stop(new AppError('body_too_large'))
      const wanted = Math.max(0, received - FREE_BYTES) - taken
      if (wanted > 0) {
        arriving ??= budget.begins(() => stop(new AppError('overloaded')))
        if (!budget.take(wanted, arriving)) return stop(new AppError('overloaded'))
        taken += wanted
      }
      parts.add(chunk)
    }
    request.on('data', collect)
    request.once('end', () => {
      ended = true
      arrived()
      resolve(parts.whole())
      // What the request goes on to hold is its body, and not its parts beside it.
      parts.clear()
    })
    // The sender went away, so nobody reads this answer; a reset is no fault of the service.
    request.once('error', () => reject(new AppError('bad_request')))
    request.once('close', () => {
      release()
      if (!ended) reject(new AppError('bad_request'))
    })
  })
}
