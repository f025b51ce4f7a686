// The keys that open the read routes: those configured, or one generated at the first start.
import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Config } from './config.ts'
import type { ApiKey } from './config-values.ts'
import { ConfigurationError } from './errors.ts'
import type { Log } from './log.ts'

const NAME = 'api-key'
/** What a file system says that knows no hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/**
 * The configured keys; with none of them and READ_ACCESS=keys, the one in the file `api-key`
 * beside the SQLite database, which is created (mode 0600) where it is missing; for a temporary
 * database, one in a directory that is removed when the process ends. Logs the path, never the key.
 * Throws ConfigurationError on PostgreSQL, which has no such place.
 */
export function findApiKeys(config: Config, log: Log): readonly ApiKey[] {
  const { apiKeys, readAccess, databaseUrl } = config
  if (apiKeys.length > 0 || readAccess !== 'keys') return apiKeys
  if (databaseUrl.engine !== 'sqlite') {
    throw new ConfigurationError(
      'API_KEYS is not set: with PostgreSQL no key is generated, since all replicas have to know the same. Set API_KEYS, or READ_ACCESS to local or open.',
    )
  }
  const file = generatedKeyFile(config) ?? temporaryKeyFile()
  const key = readKey(file) ?? createKey(file)
  log.info({ file }, 'API_KEYS is not set; the key for reading is in this file')
  return [{ name: 'generated', key }]
}

/** The key that a service of this configuration generated; null where this user can't read one. */
export function generatedKey(config: Pick<Config, 'databaseUrl'>): string | null {
  const file = generatedKeyFile(config)
  try {
    return file === null ? null : readKey(file)
  } catch {
    return null
  }
}

/** Where a service of this configuration keeps the key it generates; null where that is not known. */
export function generatedKeyFile({ databaseUrl }: Pick<Config, 'databaseUrl'>): string | null {
  if (databaseUrl.engine !== 'sqlite' || databaseUrl.file === null) return null
  return keyFileBeside(databaseUrl.file)
}

/** Where the key generated for a database file is. */
export function keyFileBeside(database: string): string {
  return join(resolve(dirname(database)), NAME)
}

/** For a database that lasts as long as the process. */
function temporaryKeyFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whatsapp-webhook-key-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return join(directory, NAME)
}

function readKey(file: string): string | null {
  try {
    const key = readFileSync(file, 'utf8').trim()
    if (key !== '') return key
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
  throw new ConfigurationError(`The key file ${file} is empty: delete it and start again.`)
}

function createKey(file: string): string {
  const key = `wk_${randomBytes(32).toString('base64url')}`
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    publish(file, `${key}\n`)
    return key
  } catch (error) {
    // Another process of the same installation was first.
    if (codeOf(error) === 'EEXIST') return readKey(file) ?? key
    throw error
  }
}

/** Nobody sees the file before it is whole, and it takes no other's place. */
function publish(file: string, text: string): void {
  const temporary = `${file}.partial-${randomBytes(8).toString('hex')}`
  try {
    writeNew(temporary, text)
    linkSync(temporary, file)
  } catch (error) {
    if (!isWithoutLinks(error)) throw error
    writeNew(file, text)
  } finally {
    rmSync(temporary, { force: true })
  }
}

function writeNew(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600, flag: 'wx', flush: true })
}

function isWithoutLinks(error: unknown): boolean {
  const { syscall, code = '' } = error as NodeJS.ErrnoException
  return syscall === 'link' && NO_LINKS.includes(code)
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
