// Changes of the Cloud API with these items, and items that change a message.
import { anEdit, aRevocation, change, type Fields } from './cloud-api.ts'

export function messages(...items: readonly Fields[]): Fields {
  return change({ messages: items })
}

export function statuses(...items: readonly Fields[]): Fields {
  return change({ statuses: items })
}

/** An edit under an id of its own. */
export function edited(id: string, original: string, body: string, timestamp: string): Fields {
  return anEdit(original, body, { id, timestamp })
}

/** A revocation under an id of its own. */
export function revoked(id: string, original: string): Fields {
  return aRevocation(original, { id })
}
