// When something last arrived from each provider: the first question where nothing seems to arrive.
import type { ProviderName } from '../model/event.ts'

/** Moments in ms since 1970, of other requests than doctor's probes; null: not since the service started. */
export type Seen = {
  readonly acceptedAt: number | null
  readonly rejectedAt: number | null
  /** The last time the callback URL was asked to confirm itself, and whether its token was ours. */
  readonly handshake: { readonly at: number; readonly ok: boolean } | null
}

const NOTHING: Seen = { acceptedAt: null, rejectedAt: null, handshake: null }

/** What was seen since the service started. Every `at` is in ms since 1970. */
export class Activity {
  readonly #seen = new Map<ProviderName, Seen>()

  /** A request that was answered 200. */
  accepted(provider: ProviderName, at: number): void {
    this.#seen.set(provider, { ...this.of(provider), acceptedAt: at })
  }

  /** A request with a signature that did not hold. */
  rejected(provider: ProviderName, at: number): void {
    this.#seen.set(provider, { ...this.of(provider), rejectedAt: at })
  }

  /** A handshake; `ok`: it was answered with its challenge. */
  handshake(provider: ProviderName, at: number, ok: boolean): void {
    this.#seen.set(provider, { ...this.of(provider), handshake: { at, ok } })
  }

  /** What was seen of a provider. */
  of(provider: ProviderName): Seen {
    return this.#seen.get(provider) ?? NOTHING
  }
}
