// Made-up messages. Each is known by its run and its number alone, so that the process that sends
// them and the one that checks what was stored need not exchange them.
import { hash } from 'node:crypto'
import { textFor } from './texts.ts'

/** A message in the words of the API. */
export type Message = {
  readonly message_id: string
  readonly from: string
  readonly to: string
  readonly ts: string
  readonly text: string
}

/** Messages `first` to `first + count - 1` of a run. */
export type Range = { readonly first: number; readonly count: number }

const SENDERS = 50_000
const RECIPIENTS = 5
const START_MS = Date.UTC(2025, 0, 1)
const STEP_MS = 31_000

/** Like a provider's ids, these come in no order: an index over them grows everywhere at once. */
export function messageId(run: string, index: number): string {
  return `wamid.${hash('sha256', `${run}:${index}`, 'base64url')}`
}

/** The message with this number. */
export function messageFor(run: string, index: number): Message {
  // A multiplication by a prime spreads the numbers over all senders.
  const sender = (index * 48_271) % SENDERS
  return {
    message_id: messageId(run, index),
    from: `+4915${String(100_000_000 + sender)}`,
    to: `+4930${String(1_000_000 + (index % RECIPIENTS))}`,
    ts: new Date(START_MS + index * STEP_MS).toISOString().replace('.000Z', 'Z'),
    text: textFor(index),
  }
}
