// When something last arrived from each provider: the first question where nothing seems to arrive.
import type { ProviderName } from '../model/event.ts'

/** Moments in ms since 1970; null: not since the service started. */
export type Seen = {
  acceptedAt: number | null
  rejectedAt: number | null
  handshakeAt: number | null
  handshakeOk: boolean | null
}

/** What was seen since the service started. */
export class Activity {
  readonly #seen = new Map<ProviderName, Seen>()

  accepted(provider: ProviderName, at: number): void {
    this.of(provider).acceptedAt = at
  }

  rejected(provider: ProviderName, at: number): void {
    this.of(provider).rejectedAt = at
  }

  handshake(provider: ProviderName, at: number, ok: boolean): void {
    Object.assign(this.of(provider), { handshakeAt: at, handshakeOk: ok })
  }

  of(provider: ProviderName): Seen {
    const seen = this.#seen.get(provider) ?? {
      acceptedAt: null,
      rejectedAt: null,
      handshakeAt: null,
      handshakeOk: null,
    }
    this.#seen.set(provider, seen)
    return seen
  }
}
