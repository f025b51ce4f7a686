// What the log may say of ids and paths, which others choose.

/**
 * The id that WhatsApp gives a message, in base64, also as a path writes it: a phone number comes
 * first, and what tells messages apart last. Facts: the ids of Meta's published examples, decoded.
 */
const WAMID = /wamid\.[\w+/=%-]*([\w+/=%-]{16})/g
/** As E.164 has it, also as a path writes its plus. */
const PHONE_NUMBER = /(\+|%2b)\d{7,15}/gi
/** What a terminal acts on and JSON does not escape: C1 controls, ends of lines, turns of direction. */
const ACTED_ON = /[\u0080-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
/** Parts of a path that is no route. */
const MAX_PARTS = 12

/** An id, or a path with one: of each wamid the end alone, and no phone number. */
export function loggable(text: string): string {
  return text.replace(WAMID, 'wamid.…$1').replace(PHONE_NUMBER, '$1…').replace(ACTED_ON, '\ufffd')
}

/** A path that is no route: what it shares with our routes, and nothing that it may say of people. */
export function loggablePath(path: string, known: ReadonlySet<string>): string {
  return path
    .split('/', MAX_PARTS)
    .map((part) => (part === '' || known.has(part) ? part : '…'))
    .join('/')
}
