// The errors that stages tell each other of. Thrown where the fault is; those of a request become its
// answer in http/error-handler.ts. Details are sentences for the caller: no secret, no personal data.

/** Every 503 says when to try again. */
type ErrorKind = { readonly detail: string } & (
  | { readonly status: 503; readonly retryAfterS: number }
  | { readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 }
)

const KINDS = {
  invalid_signature: { status: 401, detail: 'invalid signature' },
  unauthorized: {
    status: 401,
    detail:
      'This needs an API key: send "Authorization: Bearer <key>" with a key from API_KEYS. With none set and READ_ACCESS=keys, one is in the file api-key beside the database.',
  },
  not_found: { status: 404, detail: 'Not Found' },
  handshake_refused: {
    status: 403,
    detail:
      'Needed are hub.mode=subscribe, the META_VERIFY_TOKEN of this service as hub.verify_token, and hub.challenge, each once.',
  },
  intake_not_found: { status: 404, detail: 'No request has this number, or its body has expired.' },
  message_not_found: { status: 404, detail: 'No message has this id.' },
  position_unknown: {
    status: 409,
    detail:
      'The sequence ends before this position: the database is another one, or an earlier state of it. Begin again, with after=0 or at a message you know.',
  },
  method_not_allowed: { status: 405, detail: 'Method Not Allowed' },
  ambiguous_request: {
    status: 400,
    detail: 'The request is framed ambiguously; send one Host, one length and a plain path.',
  },
  bad_url: { status: 400, detail: 'The path is not valid percent-encoded UTF-8.' },
  bad_request: { status: 400, detail: 'The request is not valid HTTP/1.1.' },
  body_too_large: { status: 413, detail: 'The body is larger than MAX_BODY_BYTES allows.' },
  encoded_body: {
    status: 415,
    detail: 'Send the body as it was signed, without a Content-Encoding.',
  },
  no_secret: {
    status: 503,
    detail:
      'No secret is configured for this format: set META_APP_SECRET for the Cloud API, WEBHOOK_SECRET for single messages, and restart the service.',
    retryAfterS: 60,
  },
  overloaded: {
    status: 503,
    detail: 'Too many messages are waiting to be stored; send this one again later.',
    retryAfterS: 5,
  },
  reads_overloaded: {
    status: 503,
    detail: 'Too many queries are waiting; send this one again later.',
    retryAfterS: 5,
  },
  store_unavailable: {
    status: 503,
    detail: 'The message could not be stored just now; send it again later.',
    retryAfterS: 5,
  },
  storing_timed_out: {
    status: 503,
    detail: 'The message was not stored in time; send it again later.',
    retryAfterS: 5,
  },
  read_timed_out: {
    status: 503,
    detail: 'The query took too long; ask for less, or send it again later.',
    retryAfterS: 5,
  },
  reads_unavailable: {
    status: 503,
    detail: 'The database cannot be read just now; send the query again later.',
    retryAfterS: 5,
  },
  shutting_down: {
    status: 503,
    detail: 'The service is shutting down; send the request again.',
    retryAfterS: 5,
  },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof KINDS

/** A foreseen failure of one request, with its HTTP status and the sentence for the caller. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly status: number
  readonly detail: string
  /** Seconds after which trying again makes sense; set on every 503. */
  readonly retryAfterS: number | undefined

  constructor(code: ErrorCode, options?: { cause?: unknown }) {
    const kind: ErrorKind = KINDS[code]
    super(kind.detail, options)
    this.code = code
    this.status = kind.status
    this.detail = kind.detail
    this.retryAfterS = kind.status === 503 ? kind.retryAfterS : undefined
  }
}

/** One thing that is wrong with a request, in the shape FastAPI gives it. */
export type Problem = {
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
}

/** A request whose content is not acceptable: 422 with the list of problems. */
export class ValidationError extends Error {
  override readonly name = 'ValidationError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super('The request is not valid.')
    this.problems = problems
  }
}

/**
 * The database can't serve now but may later: locked, full, read-only. Nothing may be taken as
 * stored, though it may be, as where a connection was lost in mid-commit. Its message is logged, so
 * that it quotes nothing that was to be stored.
 */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/**
 * The database can't be trusted any more in this process, as after an fsync that failed. The only
 * sound answer is to stop and recover from the log at the next start. Its message is logged too.
 */
export class StoreFailedError extends Error {
  override readonly name = 'StoreFailedError'
}

/** Whether the store is to blame for an error, whatever it was asked to do. */
export function isOfTheStore(error: unknown): error is StoreUnavailableError | StoreFailedError {
  return error instanceof StoreUnavailableError || error instanceof StoreFailedError
}

/** A start that can't succeed as configured. The message names each problem and what to do. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}
