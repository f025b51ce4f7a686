// The cursor that a client sends back for the next page: opaque to it, checked when it returns.
import { hash } from 'node:crypto'
import { type Instant, parseQueryInstant } from '../model/instant.ts'
import type { ConversationPosition, MessageFilter, Order, Position } from '../model/message.ts'

/** The list a cursor belongs to; it is of no use in another. */
export type List = { readonly filter: MessageFilter; readonly order: Order }

/** A cursor for the page behind `position`, as URL-safe base64. */
export function encodeCursor(list: List, position: Position): string {
  const parts = [fingerprint(list), position.instant, position.messageId, position.seq]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** The position in a cursor; null when it is none, or one of another list. */
export function decodeCursor(list: List, cursor: string): Position | null {
  const parts = parse(cursor)
  if (!Array.isArray(parts) || parts.length !== 4) return null
  const [print, instant, messageId, seq] = parts as unknown[]
  if (print !== fingerprint(list)) return null
  if (!isInstant(instant) || !isText(messageId) || !Number.isSafeInteger(seq)) return null
  return { instant, messageId, seq: Number(seq) }
}

/** A cursor for the conversations behind `position`, as URL-safe base64. */
export function encodeConversationCursor({ instant, key }: ConversationPosition): string {
  return Buffer.from(JSON.stringify([instant, key])).toString('base64url')
}

/** The position in a cursor; null when it is none. */
export function decodeConversationCursor(cursor: string): ConversationPosition | null {
  const parts = parse(cursor)
  if (!Array.isArray(parts) || parts.length !== 2) return null
  const [instant, key] = parts as unknown[]
  return isInstant(instant) && isText(key) ? { instant, key } : null
}

function isInstant(value: unknown): value is Instant {
  return typeof value === 'string' && parseQueryInstant(`${value}Z`) === value
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}

function fingerprint({ filter, order }: List): string {
  const { from, to, type, direction, status, contact, phoneNumberId, since, until, search } = filter
  const text = JSON.stringify([
    ...[order, from, to, type, direction, status, contact, phoneNumberId, since, until, search],
  ])
  return hash('sha256', text, 'base64url').slice(0, 8)
}
