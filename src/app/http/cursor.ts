// The cursor that a client sends back for the next page: opaque to it, checked when it returns.
import { createHash } from 'node:crypto'
import { type Instant, parseQueryInstant } from '../model/instant.ts'
import type { MessageFilter, Order, Position } from '../model/message.ts'

/** The list a cursor belongs to; it is of no use in another. */
export type List = { readonly filter: MessageFilter; readonly order: Order }

/** A cursor for the page behind `position`, as URL-safe base64. */
export function encodeCursor(list: List, position: Position): string {
  const parts = [fingerprint(list), position.instant, position.messageId]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** The position in a cursor; null when it is none, or one of another list. */
export function decodeCursor(list: List, cursor: string): Position | null {
  const parts = parse(cursor)
  if (!Array.isArray(parts) || parts.length !== 3) return null
  const [print, instant, messageId] = parts as unknown[]
  if (print !== fingerprint(list)) return null
  if (typeof instant !== 'string' || parseQueryInstant(`${instant}Z`) !== instant) return null
  if (typeof messageId !== 'string' || !messageId.isWellFormed()) return null
  return { instant: instant as Instant, messageId }
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}

function fingerprint({ filter, order }: List): string {
  const { from, to, since, until, search } = filter
  const text = JSON.stringify([order, from, to, since, until, search])
  return createHash('sha256').update(text).digest('base64url').slice(0, 8)
}
