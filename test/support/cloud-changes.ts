// Changes of the Cloud API with these items, and items that change a message.
import { aText, change, type Fields } from './cloud-api.ts'

export function messages(...items: readonly Fields[]): Fields {
  return change({ messages: items })
}

export function statuses(...items: readonly Fields[]): Fields {
  return change({ statuses: items })
}

/** An edit under an id of its own. */
export function edited(id: string, original: string, body: string, timestamp: string): Fields {
  return aText({
    ...{ id, timestamp, type: 'edit', text: undefined },
    edit: { original_message_id: original, message: { type: 'text', text: { body } } },
  })
}

/** A revocation under an id of its own. */
export function revoked(id: string, original: string): Fields {
  return aText({ id, type: 'revoke', text: undefined, revoke: { original_message_id: original } })
}
