// Webhooks of the Cloud API as Meta writes them, made up.
import { signature } from './signed.ts'

export const APP_SECRET = 'canary-app-secret-0123456789abcdef'
export const BUSINESS = { display_phone_number: '14155550101', phone_number_id: '106540352242922' }

export type Fields = Readonly<Record<string, unknown>>

let items = 0

/** The time of an item, so many seconds after the one that items have of themselves. */
export function at(second: number): { timestamp: string } {
  return { timestamp: String(1736935200 + second) }
}

/** A text message of a person, with an id of its own. */
export function aText(fields: Fields = {}): Fields {
  return {
    from: '14155550100',
    id: `wamid.TEXT${++items}`,
    ...at(0),
    type: 'text',
    text: { body: 'Hello' },
    ...fields,
  }
}

/** What a person is said to have done whose number changed, each in digits. */
export function aChangedNumber(from: string, to: string): Fields {
  const system = { type: 'user_changed_number', wa_id: to, body: 'changed' }
  return aText({ from, type: 'system', text: undefined, system })
}

/** An edit of a message to this text. */
export function anEdit(original: string, body: string, fields: Fields = {}): Fields {
  const edit = { original_message_id: original, message: { type: 'text', text: { body } } }
  return aText({ type: 'edit', text: undefined, edit, ...fields })
}

/** That a message was taken back. */
export function aRevocation(original: string, fields: Fields = {}): Fields {
  const revoke = { original_message_id: original }
  return aText({ type: 'revoke', text: undefined, revoke, ...fields })
}

/** A status of a message that the business sent. */
export function aStatus(id: string, status: string, fields: Fields = {}): Fields {
  return { id, status, timestamp: '1736935200', recipient_id: '14155550100', ...fields }
}

/** One change of the field `messages`. */
export function change(value: Fields, field = 'messages'): Fields {
  return { field, value: { messaging_product: 'whatsapp', metadata: BUSINESS, ...value } }
}

/** A batch of changes in one entry. */
export function batch(...changes: readonly unknown[]): Fields {
  return { object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes }] }
}

/** As Meta writes it: characters beyond ASCII and slashes are escaped. */
export function metaJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('/', '\\/')
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What `app.inject` takes for a signed batch. */
export function signedBatch(
  value: unknown,
  { url = '/webhook/cloud-api', secret = APP_SECRET, headers = {} } = {},
) {
  const payload = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(metaJson(value))
  return {
    method: 'POST',
    url,
    payload,
    headers: {
      'content-type': 'application/json',
      'x-hub-signature-256': `sha256=${signature(payload, secret)}`,
      ...headers,
    },
  } as const
}
