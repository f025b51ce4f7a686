// What a start says of a configuration that it takes, and that may not be what was meant.
import type { Config, Environment } from '../config.ts'
import { remarksOn } from './env-file-remarks.ts'

const STRONG_SECRET_BYTES = 32
const SECRETS = ['WEBHOOK_SECRET', 'META_APP_SECRET', 'META_VERIFY_TOKEN', 'API_KEYS']
const IN_QUOTES = /^(["']).*\1$/

export type Start = {
  readonly config: Config
  /** What the configuration was read from. */
  readonly environment: Environment
  /** The text of .env; null where there is none. */
  readonly envFile: string | null
}

/** Sentences for the log. None shows a value. */
export function startWarnings({ config, environment, envFile }: Start): readonly string[] {
  return [
    ...(envFile === null ? [] : remarksOn(envFile)),
    ...SECRETS.filter((name) => isInQuotes(environment[name])).map(
      (name) =>
        `${name} begins and ends with a quote, which counts as a part of it: outside of .env, write it without`,
    ),
    ...configWarnings(config),
  ]
}

/** Parsers of .env take quotes away; docker's --env-file and kubectl's --from-env-file do not. */
function isInQuotes(text = ''): boolean {
  return [text, ...text.split(',')].some((part) => IN_QUOTES.test(part.trim()))
}

function configWarnings(config: Config): readonly string[] {
  const { webhookSecrets, metaAppSecrets, metaVerifyToken, apiKeys, readAccess, databaseUrl } =
    config
  const isWeak = (secret: string) => Buffer.byteLength(secret) < STRONG_SECRET_BYTES
  const weak = (name: string) =>
    `${name} is shorter than ${STRONG_SECRET_BYTES} bytes and could be guessed`
  const remarks: readonly [boolean, string][] = [
    [
      webhookSecrets.length === 0 && metaAppSecrets.length === 0,
      'neither WEBHOOK_SECRET nor META_APP_SECRET is set: nothing is taken in until one is',
    ],
    [
      metaAppSecrets.length > 0 && metaVerifyToken === '',
      'META_VERIFY_TOKEN is not set: Meta can not confirm the callback URL',
    ],
    [webhookSecrets.some(isWeak), weak('a WEBHOOK_SECRET')],
    [metaAppSecrets.some(isWeak), weak('a META_APP_SECRET')],
    [apiKeys.some(({ key }) => isWeak(key)), weak('a key of API_KEYS')],
    [readAccess === 'open', 'READ_ACCESS=open: whoever reaches this port can read every message'],
    [
      databaseUrl.engine === 'sqlite' && databaseUrl.file === null,
      'DATABASE_URL asks for a temporary file: all messages are lost when this process ends',
    ],
  ]
  return remarks.filter(([applies]) => applies).map(([, remark]) => remark)
}
