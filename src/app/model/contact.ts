// Who a message is from or to, beside the business.

/**
 * What one payload says of a person. Absent, null and "" in a payload all are null here. `phone`
 * is `+` and digits; `userId` is the business-scoped user id (BSUID).
 */
export type Identity = {
  readonly phone: string | null
  readonly userId: string | null
  readonly parentUserId: string | null
  /** Display only: it changes freely and is never a key. Without the `@`. */
  readonly username: string | null
  /** The profile's name. */
  readonly name: string | null
}

/** A person as a reader sees them. `key` is the BSUID where there is one, else the phone. */
export type Contact = Identity & { readonly key: string }

/** Somebody is known by `key`, and was seen under `address`, which may be the same. */
export type KnownAs = { readonly key: string; readonly address: string }

/** The address a person is shown and listed under; null where a payload names none. */
export function addressOf({ phone, userId }: Pick<Identity, 'phone' | 'userId'>): string | null {
  return phone ?? userId
}
