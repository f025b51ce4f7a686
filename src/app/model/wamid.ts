// The ids that WhatsApp gives messages.

/**
 * In base64, also as a path writes it: a phone number comes first, and what tells messages apart
 * last. Facts: the ids of Meta's published examples, decoded.
 */
const WAMID = /wamid\.[\w+/=%-]*([\w+/=%-]{16})/g

/** A text for the log: of each wamid in it the end alone, which tells it from others. */
export function withoutNumbers(text: string): string {
  return text.replace(WAMID, 'wamid.…$1')
}
