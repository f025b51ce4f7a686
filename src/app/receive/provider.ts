// What a format is to the rest of the service: who vouches for a body, and what is in it.
import type { IncomingEvent, ProviderName, Rules } from '../model/event.ts'
import type { SigningKeys } from './verify.ts'

/** The headers of a request, by lower-case name. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>

/** What a format is signed with, for the eyes of an operator whose requests are refused. */
type Secret = {
  readonly keys: SigningKeys
  /** The variable it comes from. */
  readonly setting: string
  /** What it should be the same as. */
  readonly counterpart: string
}

/** One format. Everything behind the route speaks of events and knows no provider. */
export type Provider = {
  readonly name: ProviderName
  /** The header that carries its signature. */
  readonly signatureHeader: string
  /** Whether a secret is set; without one nothing can be taken in. */
  readonly configured: boolean
  readonly secret: Secret
  /** Whether the raw body was signed by somebody who knows the secret. In constant time. */
  authenticate(body: Uint8Array, headers: Headers): boolean
  /**
   * The events in an authentic body, which arrived at `receivedAt` (ms since 1970). Throws
   * ValidationError only where the format's contract is to refuse bodies; else whatever it can't
   * read is an event too. By today's rules, unless others are named.
   */
  parse(body: Buffer, receivedAt: number, rules?: Rules): readonly IncomingEvent[]
}
