// What a message holds beside its text, typed as far as it is understood. Names are those of the
// API's answers, so that what is stored is what is shown.

/** The type of a message of which only the id is known until its content follows. */
export const PLACEHOLDER = 'media_placeholder'
/** The type of the event that is stored when a placeholder gets its content. */
export const PLACEHOLDER_FILLED = 'history:content'

export type MediaKind = 'image' | 'video' | 'audio' | 'document' | 'sticker'

/** A file that can be fetched for a while. Expiries are UTC instants in ISO 8601. */
export type Media = {
  readonly kind: MediaKind
  readonly id: string | null
  readonly mime_type: string | null
  /** As the provider gives it: base64. */
  readonly sha256: string | null
  readonly caption: string | null
  readonly file_name: string | null
  /** A voice message, recorded and not attached. */
  readonly voice: boolean
  readonly animated: boolean
  /** Needs the access token; null where the provider sent none. */
  readonly url: string | null
  readonly url_expires_at: string | null
  readonly id_expires_at: string | null
}

/** What a message refers to. */
export type Context = {
  /** The message it replies to. */
  readonly message_id: string | null
  /** Who sent that one. */
  readonly from: string | null
  readonly forwarded: boolean
  readonly frequently_forwarded: boolean
  /** The product it asks about, as the provider gives it. */
  readonly referred_product: unknown
  /** The ad it came from, as the provider gives it. */
  readonly referral: unknown
}

/**
 * Everything else of a message. Each of these objects is as the provider gave it, under the name of
 * its type; `raw` is the whole item where its type is unknown or its shape is not what that type
 * should have.
 */
export type Content = {
  readonly media?: Media
  readonly context?: Context
  /** The group it was sent in. */
  readonly group_id?: string
  readonly location?: unknown
  readonly contacts?: unknown
  /** Replies to buttons, lists, flows (`response_json` parsed beside it as `response`), calls. */
  readonly interactive?: unknown
  readonly button?: unknown
  /** `emoji` null: the reaction was taken back. */
  readonly reaction?: { readonly message_id: string; readonly emoji: string | null }
  readonly order?: unknown
  readonly system?: unknown
  readonly unsupported?: unknown
  readonly request_welcome?: unknown
  readonly media_placeholder?: unknown
  readonly errors?: unknown
  readonly raw?: unknown
  /** Whatever else it came with, under the names it had there. */
  readonly extra?: unknown
}
