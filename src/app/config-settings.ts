// Every setting of the service, described here and nowhere else: the README's table and .env.example
// are checked against this list.
import { apiKeys, boolean, integer, list, oneOf, pythonLevel } from './config-values.ts'
import { type DatabaseUrl, parseDatabaseUrl, wantedDatabaseUrl } from './store/database-url.ts'

/** A variable of the environment. */
export type Setting<Value> = {
  readonly name: string
  /** What an unset or empty variable means, in the form of the variable itself. */
  readonly fallback: string
  readonly description: string
  /** The value, or undefined where the text is none; then `expected` says what would be. */
  readonly parse: (text: string) => Value | undefined
  readonly expected: string | ((text: string) => string)
}

type ReadAccess = 'keys' | 'local' | 'open'
type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

const LOG_LEVELS: readonly LogLevel[] = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
]
const LEVELS_IN_WORDS = `${LOG_LEVELS.slice(0, -1).join(', ')} or ${LOG_LEVELS.at(-1)}`
const BYTES = 'a number of bytes from 1 to 1073741824'

/** By the name that code knows each by, in the order of the documentation. */
export const SETTINGS = {
  webhookSecrets: setting({
    name: 'WEBHOOK_SECRET',
    fallback: '',
    description:
      'The secret that signs webhook bodies; several, separated by commas, while one is being replaced. For messages in the flat format.',
    parse: list,
    expected: 'one or more secrets separated by commas',
  }),
  metaAppSecrets: setting({
    name: 'META_APP_SECRET',
    fallback: '',
    description:
      "The app secret from Meta's dashboard, by which Cloud API webhooks are signed; several, separated by commas, for several apps or while one is being replaced.",
    parse: list,
    expected: 'one or more secrets separated by commas',
  }),
  metaVerifyToken: setting({
    name: 'META_VERIFY_TOKEN',
    fallback: '',
    description:
      "The verify token entered beside the callback URL in Meta's dashboard; any text of your own.",
    parse: (text) => text,
    expected: 'a text',
  }),
  rawRetentionDays: setting({
    name: 'RAW_RETENTION_DAYS',
    fallback: '30',
    description:
      'Days that raw bodies are kept; what was read from them stays. 0 keeps them for ever.',
    parse: (text) => integer(text, 0, 36_500),
    expected: 'a number of days from 0 to 36500',
  }),
  quarantineMaxRequests: setting({
    name: 'QUARANTINE_MAX_REQUESTS',
    fallback: '100',
    description:
      'Requests with a wrong signature that are kept in memory to find out why; 0 keeps none.',
    parse: (text) => integer(text, 0, 10_000),
    expected: 'a number from 0 to 10000',
  }),
  quarantineMaxBytes: setting({
    name: 'QUARANTINE_MAX_BYTES',
    fallback: '1048576',
    description: 'Bytes that those requests may take together; the oldest make room.',
    parse: (text) => integer(text, 1, 1_073_741_824),
    expected: BYTES,
  }),
  databaseUrl: setting({
    name: 'DATABASE_URL',
    fallback: 'sqlite:///./data/messages.db',
    description:
      'Where messages are stored: `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite://` (or `sqlite:///:memory:`) for a temporary file that is removed when the service stops, or `postgresql://user:password@host:port/database` with `sslmode=` disable, require, verify-ca or verify-full.',
    parse: (text): DatabaseUrl | undefined => parseDatabaseUrl(text) ?? undefined,
    expected: wantedDatabaseUrl,
  }),
  databasePoolSize: setting({
    name: 'DATABASE_POOL_SIZE',
    fallback: '10',
    description: 'Connections to PostgreSQL that one process may open; one writes, one listens.',
    parse: (text) => integer(text, 3, 1000),
    expected: 'a number from 3 to 1000',
  }),
  host: setting({
    name: 'HOST',
    fallback: '0.0.0.0',
    description: 'The address to listen on.',
    parse: (text) => text,
    expected: 'an address or a host name',
  }),
  port: setting({
    name: 'PORT',
    fallback: '8000',
    description: 'The port to listen on; 0 takes a free one.',
    parse: (text) => integer(text, 0, 65_535),
    expected: 'a number from 0 to 65535',
  }),
  readAccess: setting({
    name: 'READ_ACCESS',
    fallback: 'keys',
    description:
      'Who may read: `keys` (a key, always), `local` (also this machine without one; what `npm start` sets) or `open` (everybody).',
    parse: (text) => oneOf<ReadAccess>(text, ['keys', 'local', 'open']),
    expected: 'keys, local or open',
  }),
  apiKeys: setting({
    name: 'API_KEYS',
    fallback: '',
    description:
      'Keys for reading, as `name:key` pairs separated by commas. With none and READ_ACCESS=keys, one is generated into a file beside the SQLite database.',
    parse: apiKeys,
    expected:
      'pairs such as reader:a-long-random-key, with different names and keys of visible ASCII characters, separated by commas',
  }),
  maxBodyBytes: setting({
    name: 'MAX_BODY_BYTES',
    fallback: '4194304',
    description: 'The largest webhook body taken, in bytes.',
    parse: (text) => integer(text, 1, 1_073_741_824),
    expected: BYTES,
  }),
  queueMaxRequests: setting({
    name: 'QUEUE_MAX_REQUESTS',
    fallback: '1000',
    description: 'Requests that may wait to be stored; more are answered 503.',
    parse: (text) => integer(text, 1, 1_000_000),
    expected: 'a number from 1 to 1000000',
  }),
  queueMaxBytes: setting({
    name: 'QUEUE_MAX_BYTES',
    fallback: '33554432',
    description: 'Bytes of bodies that may wait to be stored; more are answered 503.',
    parse: (text) => integer(text, 1, 1_073_741_824),
    expected: BYTES,
  }),
  maxConnections: setting({
    name: 'MAX_CONNECTIONS',
    fallback: '10000',
    description: 'Connections that may be open at once; further ones are closed.',
    parse: (text) => integer(text, 1, 1_000_000),
    expected: 'a number from 1 to 1000000',
  }),
  shutdownTimeoutMs: setting({
    name: 'SHUTDOWN_TIMEOUT',
    fallback: '10',
    description: 'Seconds that a shutdown may take to finish what is in flight.',
    parse: (text) => {
      const seconds = integer(text, 0, 3600)
      return seconds === undefined ? undefined : seconds * 1000
    },
    expected: 'a number of seconds from 0 to 3600',
  }),
  logLevel: setting({
    name: 'LOG_LEVEL',
    fallback: 'info',
    description: `The least level to log: ${LEVELS_IN_WORDS}.`,
    parse: (text) => oneOf<LogLevel>(pythonLevel(text.toLowerCase()), LOG_LEVELS),
    expected: LEVELS_IN_WORDS,
  }),
  logFormat: setting({
    name: 'LOG_FORMAT',
    fallback: 'json',
    description: '`json` (one object a line) or `text` (for people).',
    parse: (text) => oneOf<'json' | 'text'>(text, ['json', 'text']),
    expected: 'json or text',
  }),
  debug: setting({
    name: 'DEBUG',
    fallback: 'false',
    description: 'Logs at level debug, unless LOG_LEVEL is set.',
    parse: boolean,
    expected: 'true or false',
  }),
  appName: setting({
    name: 'APP_NAME',
    fallback: 'WhatsApp Webhook Service',
    description: 'The name in the API description and in the build metric.',
    parse: (text) => text,
    expected: 'a name',
  }),
  appVersion: setting({
    name: 'APP_VERSION',
    fallback: '0.1.0',
    description: 'The version in the API description and in the build metric.',
    parse: (text) => text,
    expected: 'a version',
  }),
}

function setting<Value>(described: Setting<Value>): Setting<Value> {
  return described
}
