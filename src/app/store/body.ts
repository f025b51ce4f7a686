// Raw bodies, whatever the engine.
import { hash } from 'node:crypto'

/** SHA-256 of a body. */
export function digestOf(body: Uint8Array): Buffer {
  return hash('sha256', body, 'buffer')
}
