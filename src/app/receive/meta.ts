// Meta's Cloud API as a provider: X-Hub-Signature-256 over the raw bytes, and the handshake by
// which a callback URL is confirmed.
import { parseCloudApi } from './cloud-api.ts'
import type { Provider } from './provider.ts'
import { isSameSecret, signingKeys, verifySignature } from './verify.ts'

export const META_SIGNATURE = 'x-hub-signature-256'

/** The provider for the apps with these secrets; each app signs with its own. */
export function cloudApi(secrets: readonly string[]): Provider {
  const keys = signingKeys(secrets)
  return {
    name: 'cloud-api',
    signatureHeader: META_SIGNATURE,
    configured: keys.length > 0,
    secret: {
      keys,
      setting: 'META_APP_SECRET',
      counterpart: 'the one in the dashboard of the app that sends (app settings, basic)',
    },
    authenticate: (body, headers) => verifySignature(keys, body, headers[META_SIGNATURE]),
    parse: parseCloudApi,
  }
}

/** The query of the request by which Meta asks whether the callback URL is really ours. */
export type Handshake = {
  readonly mode: string | undefined
  readonly token: string | undefined
  readonly challenge: string | undefined
}

/** The challenge to answer with; null where the token is not ours. In constant time. */
export function answerHandshake(verifyToken: string, handshake: Handshake): string | null {
  const { mode, token, challenge } = handshake
  if (verifyToken === '' || token === undefined || challenge === undefined) return null
  return isSameSecret(verifyToken, token) && mode === 'subscribe' ? challenge : null
}
