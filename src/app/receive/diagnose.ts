// Why a signature does not hold: tries what usually goes wrong on the way. For an operator's eyes
// only; a body that verifies in another form than it arrived in is still refused.
import { isUtf8 } from 'node:buffer'
import { parseJsonLoosely } from './parse.ts'
import type { Headers, Provider } from './provider.ts'

export type Cause =
  | 'header_missing'
  | 'header_malformed'
  | 'other_provider'
  | 'reserialised_body'
  | 'unescaped_body'
  | 'changed_line_end'
  | 'body_not_kept'
  | 'wrong_secret'

/** What to do about each cause. */
export const ADVICE: Readonly<Record<Cause, string>> = {
  header_missing:
    'The request carries no signature: it is not from the provider, or a proxy took the header away.',
  header_malformed:
    'The signature header is not one value of 64 hex digits, after "sha256=" if there is one: the sender or something on the way made it another.',
  other_provider:
    "The request is signed for another provider: post it to that provider's path, or set its secret.",
  reserialised_body:
    'The body verifies after it is written anew: a proxy parsed and re-serialised the JSON. Pass the bytes on unchanged.',
  unescaped_body:
    'The body verifies with its characters escaped as the provider sent them: a proxy decoded \\u escapes. Pass the bytes on unchanged.',
  changed_line_end:
    'The body verifies without or with a line end: something on the way added or removed one.',
  body_not_kept:
    'The body is longer than what is kept of it, so nothing could be tried: compare the secret first, then send a shorter body the same way.',
  wrong_secret:
    'No configured secret gives this signature: compare the secret with the one in the dashboard of the app that sends.',
}

const WELL_FORMED = /^(?:sha256=)?[0-9a-fA-F]{64}$/
const OTHER_SIGNATURES = [
  'x-hub-signature-256',
  'x-signature',
  'x-twilio-signature',
  'x-360dialog-signature',
  'x-hub-signature',
]

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
  const header = headers[provider.signatureHeader]
  const others = OTHER_SIGNATURES.filter((name) => name !== provider.signatureHeader)
  if (header === undefined) {
    return others.some((name) => headers[name] !== undefined) ? 'other_provider' : 'header_missing'
  }
  if (typeof header !== 'string' || !WELL_FORMED.test(header)) return 'header_malformed'
  if (!isWhole) return 'body_not_kept'
  const holds = (changed: Buffer | null) =>
    changed !== null && provider.authenticate(changed, headers)
  if (
    providers.some((other) => other !== provider && signedFor(other, { body, headers }, header))
  ) {
    return 'other_provider'
  }
  if (!isUtf8(body)) return 'wrong_secret'
  const text = body.toString('utf8')
  if (lineEndVariants(text).some(holds)) return 'changed_line_end'
  if (escapedVariants(text).some(holds)) return 'unescaped_body'
  return reserialisedVariants(body).some(holds) ? 'reserialised_body' : 'wrong_secret'
}

function signedFor(
  other: Provider,
  { body, headers }: Pick<Rejected, 'body' | 'headers'>,
  header: string,
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
