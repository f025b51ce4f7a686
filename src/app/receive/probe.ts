// What `doctor` sends from outside to see what gets through. It goes the whole way like any other
// request, but is no evidence that somebody else's arrive. What is left out is told by bytes that no
// sender's request has, so a stranger who sends the same hides nothing but that.

/** Every escape that a proxy could decode on the way. */
const ESCAPES = '"probe":"\\u00e4\\/ \\ud83d\\ude00"'

/** A batch without anything in it. The same each time, so that it is stored once. */
export const BATCH_PROBE = `{"object":"whatsapp_business_account","entry":[],${ESCAPES}}`
/** Without the fields of a message it is refused, but only once its signature has been found right. */
export const FLAT_PROBE = `{${ESCAPES}}`
/** The HMAC of nothing. */
export const FORGED_SIGNATURE = '0'.repeat(64)
/** How a challenge begins; Meta's are digits. */
export const PROBE_CHALLENGE = 'doctor-'

const BODIES = [BATCH_PROBE, FLAT_PROBE].map((text) => Buffer.from(text))

/** Whether a body is a probe's; where its signature holds, doctor knows the secret. */
export function isProbe(body: Uint8Array): boolean {
  return BODIES.some((probe) => probe.equals(body))
}

/** Whether a refused request is the one that has to be; a probe that should have held is not. */
export function isForgedProbe(body: Uint8Array, signature: string | string[] | undefined): boolean {
  return isProbe(body) && String(signature).endsWith(FORGED_SIGNATURE)
}
