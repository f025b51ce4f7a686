// What an operator can do about each cause of a refusal. No secret is quoted.
import type { Provider } from './provider.ts'
import type { SecretSlip } from './secret-slips.ts'

export type Cause =
  | 'header_missing'
  | 'header_malformed'
  | 'other_provider'
  | 'reserialised_body'
  | 'unescaped_body'
  | 'changed_line_end'
  | 'body_not_kept'
  | SecretSlip
  | 'wrong_secret'

const ADVICE: Readonly<Record<Cause, (provider: Provider) => string>> = {
  header_missing: (provider) =>
    `The request carries no ${headerOf(provider)} header: its sender does not sign, or a proxy took the header away.`,
  header_malformed: (provider) =>
    `${headerOf(provider)} is not one value of 64 hex digits, after "sha256=" if there is one: the sender or something on the way made it another.`,
  other_provider: () =>
    "The request is signed for another provider: post it to that provider's path, or set its secret.",
  reserialised_body: () =>
    'The body verifies after it is written anew: a proxy parsed and re-serialised the JSON. Pass the bytes on unchanged.',
  unescaped_body: () =>
    'The body verifies with its characters escaped as the provider sent them: a proxy decoded \\u escapes. Pass the bytes on unchanged.',
  changed_line_end: () =>
    'The body verifies without or with a line end: something on the way added or removed one.',
  body_not_kept: () =>
    'The body is longer than what is kept of it, so nothing could be tried: compare the secret first, then send a shorter body the same way.',
  quoted_secret: ({ secret: { setting } }) =>
    `The body verifies with ${setting} without the quotes that are a part of it here: docker --env-file and kubectl keep them. Take them out, and restart.`,
  secret_line_end: ({ secret: { setting } }) =>
    `The body verifies with a line end behind ${setting}: the sender's copy of the secret ends with one, as a file or echo leaves it. Take it away there.`,
  hex_secret: ({ secret: { setting } }) =>
    `The body verifies with the bytes that ${setting} is the hex of: the sender decodes the secret. Let it sign with the text as it is.`,
  base64_secret: ({ secret: { setting } }) =>
    `The body verifies with the bytes that ${setting} is the base64 of: the sender decodes the secret. Let it sign with the text as it is.`,
  wrong_secret: ({ secret: { setting, counterpart } }) =>
    `No configured secret gives this signature: compare ${setting} with ${counterpart}.`,
}

export const CAUSES = Object.keys(ADVICE)

/** What to do about a refusal by `provider`. */
export function adviceOn(cause: Cause, provider: Provider): string {
  return ADVICE[cause](provider)
}

/** As it is usually written: X-Signature. */
function headerOf({ signatureHeader }: Provider): string {
  return signatureHeader.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())
}
