// Webhook requests as a sender makes them. Signs with node:crypto and not with the service's code,
// so that both can't be wrong in the same way.
import { createHmac } from 'node:crypto'

/** Looked for in every log line: no secret may ever be in one. */
export const SECRET = 'canary-secret-0123456789abcdef0123456789abcdef'

export type FlatBody = {
  readonly message_id: string
  readonly from: string
  readonly to: string
  readonly ts: string
  readonly text?: string | null
}

/** Personal data by which a leak is found: in logs, and in answers to those who may not read. */
export const CANARY = {
  text: 'canary-text-of-a-message',
  from: '+19995550100',
  to: '+19995550101',
} as const

let bodies = 0

/** A valid message with an id of its own. */
export function flatBody(fields: Partial<FlatBody> = {}): FlatBody {
  return {
    message_id: `message-${++bodies}`,
    from: CANARY.from,
    to: CANARY.to,
    ts: '2025-01-15T10:00:00Z',
    text: CANARY.text,
    ...fields,
  }
}

export function signature(body: string | Uint8Array, secret: string = SECRET): string {
  return createHmac('sha256', secret).update(body).digest('hex')
}

/** What `app.inject` takes for a signed body; objects are sent as JSON. */
export function signed(
  body: object | string | Uint8Array,
  { secret, headers }: { secret?: string; headers?: Record<string, string> } = {},
) {
  const payload = toBytes(body)
  return {
    method: 'POST',
    url: '/webhook',
    payload,
    headers: {
      'content-type': 'application/json',
      'x-signature': signature(payload, secret),
      ...headers,
    },
  } as const
}

export function toBytes(body: object | string | Uint8Array): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}
