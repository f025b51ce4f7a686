// Why this side refuses a connection: the certificate it is shown, or the files it was told to use.

/** A file that the URL names can't be used; the message says which, and what to do. */
export class UnusableFileError extends Error {
  override readonly name = 'UnusableFileError'
  readonly code: string

  constructor(message: string, { code = 'ERR_TLS_FILE', cause }: UnusableFileOptions = {}) {
    super(message, { cause })
    this.code = code
  }
}

type UnusableFileOptions = { readonly code?: string; readonly cause?: unknown }

const RENEW = 'replace it on the server'
const NOBODY_VOUCHES = 'name its authority with sslrootcert=FILE in the URL'

/** What to do, by Node's code. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_FAULTS: Readonly<Record<string, readonly [what: string, advice: string]>> = {
  CERT_HAS_EXPIRED: ['has expired', RENEW],
  CERT_NOT_YET_VALID: ['is not valid yet', `set the clocks right, or ${RENEW}`],
  CERT_REVOKED: ['was revoked', RENEW],
  CERT_SIGNATURE_FAILURE: ['has a wrong signature', RENEW],
  CERT_CHAIN_TOO_LONG: ['has too many authorities above it', RENEW],
  CERT_REJECTED: ['is rejected', RENEW],
  INVALID_PURPOSE: ['is not for servers', RENEW],
  INVALID_CA: ['was made by one that is no authority', RENEW],
  PATH_LENGTH_EXCEEDED: ['has too many authorities above it', RENEW],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'is of another host',
    'connect by the name it was made for, or use sslmode=verify-ca',
  ],
  HOSTNAME_MISMATCH: ['is of another host', 'connect by the name it was made for'],
  CERT_UNTRUSTED: ['is not vouched for', NOBODY_VOUCHES],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['is not vouched for', NOBODY_VOUCHES],
  SELF_SIGNED_CERT_IN_CHAIN: ['is not vouched for', NOBODY_VOUCHES],
  UNABLE_TO_GET_ISSUER_CERT: ['is not vouched for', NOBODY_VOUCHES],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['is not vouched for', NOBODY_VOUCHES],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['is not vouched for', NOBODY_VOUCHES],
}

/** The code of a connection that this side refused; null for an error of another kind. */
export function mistrustCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  const code = String(error.code)
  const isOne = error instanceof UnusableFileError || Object.hasOwn(CERTIFICATE_FAULTS, code)
  return isOne ? code : null
}

/** Why a connection can't be encrypted as configured, and what to do; null for another error. */
export function tlsRefusal(error: unknown): string | null {
  if (error instanceof UnusableFileError) return error.message
  if (!(error instanceof Error)) return null
  // The driver's own words, which it gives no code.
  if (error.message.startsWith('The server does not support SSL')) {
    return 'the server has no TLS: turn it on there (ssl=on), or take sslmode out of the URL'
  }
  const code = mistrustCode(error)
  const fault = code === null ? undefined : CERTIFICATE_FAULTS[code]
  if (fault === undefined) return null
  const [what, advice] = fault
  return `the server's certificate ${what} (${code}): ${advice}`
}
