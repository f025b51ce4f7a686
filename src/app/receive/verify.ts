// The signature check: the first thing that happens to a webhook body, on exactly the bytes that
// arrived. Pure, no I/O.
import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto'

/** The keys that may have signed a body; several while a secret is being rotated. */
export type SigningKeys = readonly KeyObject[]

/** Keys from secrets in UTF-8. An empty secret signs nothing and is left out. */
export function signingKeys(secrets: readonly string[]): SigningKeys {
  return secrets
    .filter((secret) => secret !== '')
    .map((secret) => createSecretKey(Buffer.from(secret, 'utf8')))
}

// Buffer.from(…, 'hex') stops at the first odd byte without a word, so the form is checked first.
const SIGNATURE = /^(?:sha256=)?([0-9a-fA-F]{64})$/

/**
 * Whether `header` is the HMAC-SHA256 of `body` under one of `keys`: 64 hex digits of either
 * case, optionally after `sha256=`. Anything else, a missing or doubled header included, is false.
 * Every key is tried and compared in constant time.
 */
export function verifySignature(
  keys: SigningKeys,
  body: Uint8Array,
  header: string | string[] | undefined,
): boolean {
  if (typeof header !== 'string') return false
  const hex = SIGNATURE.exec(header)?.[1]
  if (hex === undefined) return false
  const claimed = Buffer.from(hex, 'hex')
  let valid = false
  for (const key of keys) {
    const expected = createHmac('sha256', key).update(body).digest()
    if (timingSafeEqual(expected, claimed)) valid = true
  }
  return valid
}

/** The signature a sender puts in `X-Signature`: lower-case hex of HMAC-SHA256(secret, body). */
export function signBody(secret: string, body: Uint8Array): string {
  return createHmac('sha256', secret).update(body).digest('hex')
}

/** Whether two secrets are the same. Digests have one length: it takes as long for every guess. */
export function isSameSecret(expected: string, given: string): boolean {
  return timingSafeEqual(hash('sha256', expected, 'buffer'), hash('sha256', given, 'buffer'))
}
