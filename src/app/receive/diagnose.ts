// Why a signature does not hold: tries what usually goes wrong on the way. For an operator's eyes
// only; a body that verifies in another form, or with another secret, is still refused.
import { isUtf8 } from 'node:buffer'
import type { Cause } from './advice.ts'
import { parseJsonLoosely } from './parse.ts'
import type { Headers, Provider } from './provider.ts'
import { slipIn } from './secret-slips.ts'

const WELL_FORMED = /^(?:sha256=)?[0-9a-fA-F]{64}$/
const SIGNATURES = [
  'x-hub-signature-256',
  'x-signature',
  'x-twilio-signature',
  'x-360dialog-signature',
  'x-hub-signature',
]

/** The cause of a refusal where the headers alone tell it, at no cost; null where they don't. */
export function causeInHeaders(headers: Headers, { signatureHeader }: Provider): Cause | null {
  const header = headers[signatureHeader]
  if (header === undefined) {
    // Ours is not there, so whichever is there is another's.
    const isOthers = SIGNATURES.some((name) => headers[name] !== undefined)
    return isOthers ? 'other_provider' : 'header_missing'
  }
  return typeof header === 'string' && WELL_FORMED.test(header) ? null : 'header_malformed'
}

export type Rejected = {
  readonly body: Buffer
  /** Whether `body` is all of it: no signature holds for a part. */
  readonly isWhole: boolean
  readonly headers: Headers
}

/** The likely cause of a refusal by `provider`, one of `providers`. */
export function diagnose(
  { body, isWhole, headers }: Rejected,
  provider: Provider,
  providers: readonly Provider[],
): Cause {
  const plain = causeInHeaders(headers, provider)
  if (plain !== null) return plain
  if (!isWhole) return 'body_not_kept'
  const header = headers[provider.signatureHeader]
  const holds = (changed: Buffer | null) =>
    changed !== null && provider.authenticate(changed, headers)
  if (
    providers.some((other) => other !== provider && signedFor(other, { body, headers }, header))
  ) {
    return 'other_provider'
  }
  const slip = slipIn(provider.secret.keys, body, header)
  if (slip !== null) return slip
  if (!isUtf8(body)) return 'wrong_secret'
  const text = body.toString('utf8')
  if (lineEndVariants(text).some(holds)) return 'changed_line_end'
  if (escapedVariants(text).some(holds)) return 'unescaped_body'
  return reserialisedVariants(body).some(holds) ? 'reserialised_body' : 'wrong_secret'
}

function signedFor(
  other: Provider,
  { body, headers }: Pick<Rejected, 'body' | 'headers'>,
  header: Headers[string],
): boolean {
  return other.authenticate(body, { ...headers, [other.signatureHeader]: header })
}

function lineEndVariants(text: string): Buffer[] {
  const bare = text.slice(0, endOfLast(text))
  return [bare, `${bare}\n`, `${bare}\r\n`].filter((other) => other !== text).map(bytes)
}

/** Where a text ends without its line ends. By a pattern, this takes the square of the time. */
function endOfLast(text: string): number {
  let end = text.length
  while (end > 0 && (text[end - 1] === '\n' || text[end - 1] === '\r')) end--
  return end
}

function escapedVariants(text: string): Buffer[] {
  const ascii = escapeNonAscii(text)
  const slashes = ascii.replace(/(?<!\\)\//g, '\\/')
  return [ascii, slashes, text.replace(/(?<!\\)\//g, '\\/')]
    .filter((other) => other !== text)
    .map(bytes)
}

/** The ways in which common libraries write JSON, and the provider's own. */
function reserialisedVariants(body: Buffer): Buffer[] {
  try {
    const compact = JSON.stringify(parseJsonLoosely(body))
    const ascii = escapeNonAscii(compact)
    const escaped = ascii.replaceAll('/', '\\/')
    const spaced = spacedOut(compact)
    return [compact, ascii, escaped, spaced, escapeNonAscii(spaced)].map(bytes)
  } catch {
    return []
  }
}

/** `{"a": 1, "b": 2}`, from `{"a":1,"b":2}`: a space behind each mark outside strings. */
function spacedOut(compact: string): string {
  return compact.replace(/"(?:[^"\\]|\\.)*"|[,:]/g, (part) =>
    part.startsWith('"') ? part : `${part} `,
  )
}

function escapeNonAscii(text: string): string {
  return text.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'utf8')
}
