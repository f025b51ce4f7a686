// Collects a request's body as the bytes that arrived, within bounds that hold before anything is
// known about the sender.
import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import type { ByteBudget } from './byte-budget.ts'

/** What every body may take without asking: far more than a message needs. Bytes. */
const FREE_BYTES = 16 * 1024

export type BodyLimits = {
  /** The largest body, in bytes. */
  readonly maxBytes: number
  /** The memory that bodies may hold together while they arrive, beyond 16 KiB each. */
  readonly budget: ByteBudget
}

/**
 * The whole body. Rejects with AppError `body_too_large`, or `overloaded` when large bodies
 * already hold all the memory they may. Bytes of the budget go back once the request is closed.
 */
export function collectBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { maxBytes, budget } = limits
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBytes) return Promise.reject(new AppError('body_too_large'))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let received = 0
    let taken = 0
    let ended = false
    const stop = (error: AppError) => {
      request.off('data', collect)
      request.resume()
      chunks.length = 0
      reject(error)
    }
    const collect = (chunk: Buffer) => {
      received += chunk.length
      if (received > maxBytes) return stop(new AppError('body_too_large'))
      const wanted = Math.max(0, received - FREE_BYTES) - taken
      if (!budget.take(wanted)) return stop(new AppError('overloaded'))
      taken += wanted
      chunks.push(chunk)
    }
    request.on('data', collect)
    request.once('end', () => {
      ended = true
      const [first] = chunks
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks))
    })
    // The sender went away, so nobody reads this answer; a reset is no fault of the service.
    request.once('error', () => reject(new AppError('bad_request')))
    request.once('close', () => {
      budget.giveBack(taken)
      if (!ended) reject(new AppError('bad_request'))
    })
  })
}
