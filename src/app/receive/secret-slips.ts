// How a secret gets written down wrongly: as another key than the one that was meant. To find out
// why a request was refused, never to take it in.
import { createSecretKey } from 'node:crypto'
import type { Headers } from './provider.ts'
import { type SigningKeys, verifySignature } from './verify.ts'

export type SecretSlip = 'quoted_secret' | 'secret_line_end' | 'hex_secret' | 'base64_secret'

/** What the other side may sign with, by what is configured here; at most two keys each. */
const SLIPS: Readonly<Record<SecretSlip, (secret: string) => readonly Buffer[]>> = {
  quoted_secret: (secret) => {
    const bare = secret.replace(/^["']|["']$/g, '')
    return bare === secret ? [] : [Buffer.from(bare)]
  },
  secret_line_end: (secret) => [Buffer.from(`${secret}\n`), Buffer.from(`${secret}\r\n`)],
  hex_secret: (secret) =>
    /^(?:[0-9a-fA-F]{2})+$/.test(secret) ? [Buffer.from(secret, 'hex')] : [],
  base64_secret: (secret) =>
    /^[\w+/-]+={0,2}$/.test(secret) ? [Buffer.from(secret, 'base64')] : [],
}

/** The slip that explains a signature which none of `keys` gives; null where none does. */
export function slipIn(
  keys: SigningKeys,
  body: Uint8Array,
  header: Headers[string],
): SecretSlip | null {
  const secrets = keys.map((key) => key.export().toString('utf8'))
  const names = Object.keys(SLIPS) as SecretSlip[]
  const holds = (name: SecretSlip) => {
    const others = secrets.flatMap(SLIPS[name]).filter(({ length }) => length > 0)
    return verifySignature(
      others.map((bytes) => createSecretKey(bytes)),
      body,
      header,
    )
  }
  return names.find(holds) ?? null
}
