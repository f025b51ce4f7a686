// What the commands beside `serve` need of the configuration, or of the options in its place: a secret
// to sign with, a database, the address of the service.
import { existsSync, statSync } from 'node:fs'
import { type Config, readConfig } from '../config.ts'
import { ConfigurationError } from '../errors.ts'
import { type DatabaseUrl, parseDatabaseUrl, wantedDatabaseUrl } from '../store/database-url.ts'
import { UsageError } from './command.ts'
import { readEnvironment } from './environment.ts'

/** The configuration the service would start with in this directory. */
export function configuration(): Config {
  return readConfig(readEnvironment(process.cwd(), process.env))
}

/**
 * The secret that signs; the first one while another is being replaced. Never an option: everybody
 * on a machine can read the arguments of its processes.
 */
export function signingSecret({ webhookSecrets }: Pick<Config, 'webhookSecrets'>): string {
  const [secret] = webhookSecrets
  if (secret !== undefined) return secret
  throw new ConfigurationError(
    'WEBHOOK_SECRET is not set: set it in the environment or in .env, as for the service.',
  )
}

/** The database of the option --database or, without it, of DATABASE_URL. A file has to exist. */
export function databaseOf(option: string | undefined): DatabaseUrl {
  const url = option === undefined ? configuration().databaseUrl : parseOption(option)
  if (url.engine === 'sqlite') requireFile(url.file)
  return url
}

/** The SQLite file of the option --database or, without it, of DATABASE_URL. It has to exist. */
export function databaseFile(option: string | undefined): string {
  const url = option === undefined ? configuration().databaseUrl : parseOption(option)
  if (url.engine === 'sqlite') return requireFile(url.file)
  throw new ConfigurationError(
    'This command is for SQLite files; PostgreSQL has tools of its own, such as pg_dump.',
  )
}

function requireFile(file: string | null): string {
  if (file === null) {
    throw new ConfigurationError('A temporary database can only be read through its service.')
  }
  if (!existsSync(file)) throw new ConfigurationError(`There is no database at ${file}.`)
  if (!statSync(file).isFile()) throw new ConfigurationError(`${file} is no regular file.`)
  return file
}

function parseOption(text: string): DatabaseUrl {
  const url = parseDatabaseUrl(text)
  if (url !== null) return url
  throw new UsageError(`--database should be ${wantedDatabaseUrl(text)}.`)
}

/** Where the service of this configuration listens, or the address in the option --url. */
export function serviceUrl(option: string | undefined, { host, port }: Config): URL {
  if (option !== undefined) return addressOption('url', option)
  if (port === 0) throw new UsageError('--url is needed where PORT is 0.')
  const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host
  return new URL(`http://${name.includes(':') ? `[${name}]` : name}:${port}`)
}

/** The address in the text of an option. */
export function addressOption(name: string, text: string): URL {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new UsageError(`--${name} should be an address such as http://localhost:8000.`)
  }
  return url
}
