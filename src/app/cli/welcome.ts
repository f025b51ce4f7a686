// What a person at the terminal is told once the service listens.
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { generatedKeyFile } from '../api-key.ts'
import type { Config } from '../config.ts'
import { signBody } from '../receive/verify.ts'
import { serviceUrl } from './settings.ts'

/** Where the service listens, and a first message to paste, or what keeps it from taking one in. */
export function welcome(config: Config, { port }: AddressInfo): string {
  const { origin: url } = serviceUrl(undefined, { ...config, port })
  const [secret] = config.webhookSecrets
  if (secret === undefined) return `Listening on ${url}${withoutSecret(config)}`
  const message = {
    message_id: 'hello-1',
    from: '+14155550100',
    to: '+14155550101',
    ts: '2025-01-15T10:00:00Z',
    text: 'Hello',
  }
  const body = JSON.stringify(message)
  return `
Listening on ${url}. Send a first message:

  curl -X POST ${url}/webhook -H 'Content-Type: application/json' \\
    -H 'X-Signature: ${signBody(secret, Buffer.from(body))}' \\
    -d '${body}'

${reading(config, url)}
`
}

/** What there is to do where no message can be signed. */
function withoutSecret({ metaAppSecrets }: Config): string {
  if (metaAppSecrets.length > 0) return ' for webhooks signed with META_APP_SECRET.'
  const nothing = ', but nothing is taken in: WEBHOOK_SECRET is not set.'
  if (process.env['WEBHOOK_SECRET'] !== undefined) {
    return `${nothing} The environment has an empty one, which wins over .env: give it a value, or unset it.`
  }
  return `${nothing} Put one into .env, and start again:

  printf '\\nWEBHOOK_SECRET=%s\\n' "$(openssl rand -hex 32)" >> ${shellWord(join(process.cwd(), '.env'))}
`
}

/** How to read the first message, with a key where that takes one. */
function reading(config: Config, url: string): string {
  if (config.readAccess !== 'keys') return `and read it:\n\n  curl ${url}/messages`
  const file = config.apiKeys.length > 0 ? null : generatedKeyFile(config)
  if (file === null) {
    return `and read it, with a key in the place of KEY:\n\n  curl -H "Authorization: Bearer KEY" ${url}/messages`
  }
  return `and read it:\n\n  curl -H "Authorization: Bearer $(cat ${shellWord(file)})" ${url}/messages`
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
