// What it takes to store something, told in bytes: so that work can be bounded before it is begun.
import type { Intake } from './event.ts'

/** What rows and entries of indexes an event becomes, beside the bytes of its body. */
const EVENT_BYTES = 4096

/** What one transaction stores at most, unless a body alone costs more: about a thousand messages. */
export const MAX_BATCH_COST = 4 * 1024 * 1024

/**
 * What storing an intake costs, in bytes: its body, and as much for each event as a body of 4 KiB
 * without any. A body of a few megabytes may hold tens of thousands of them.
 */
export function costOf({ body, events }: Pick<Intake, 'body' | 'events'>): number {
  return body.byteLength + events.length * EVENT_BYTES
}
