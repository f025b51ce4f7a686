// The environment of the process with .env behind it, and the .env of a first start.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { type Environment, SETTING_DOCS } from '../config.ts'
import { ConfigurationError } from '../errors.ts'

const EXAMPLE = new URL('../../../.env.example', import.meta.url)
/** Some editors put it before everything else, where it would be a part of the first name. */
const BYTE_ORDER_MARK = /^\ufeff/
/** What no value has. */
const MARK = '\0'

/**
 * Variables of `directory`/.env with those of the process over them, empty ones included. Throws
 * ConfigurationError where the file can't be read, or a value in it would lose its end.
 */
export function readEnvironment(directory: string, inherited: Environment): Environment {
  const file = join(directory, '.env')
  const text = readEnvFile(directory)
  if (text === null) return inherited
  const cut = cutNames(text).filter((name) => inherited[name] === undefined)
  if (cut.length === 0) return { ...parseEnv(text), ...inherited }
  const sentences = cut.map(
    (name) =>
      `${file}: the value of ${name} ends before its "#": put it in quotes, or a blank before a comment.`,
  )
  throw new ConfigurationError(sentences.join('\n'))
}

/** The text of `directory`/.env; null where there is none. Throws where it can't be read. */
export function readEnvFile(directory: string): string | null {
  const file = join(directory, '.env')
  if (!existsSync(file)) return null
  return told('read', file, () => readFileSync(file, 'utf8')).replace(BYTE_ORDER_MARK, '')
}

/**
 * Our variables that end at a `#` right behind something else: whoever wrote it may have meant a
 * part of a password. The parser alone knows what is in quotes, so it is asked with another
 * character in the place of each.
 */
function cutNames(text: string): string[] {
  const [read, marked] = [parseEnv(text), parseEnv(text.replace(/(?<=\S)#/g, MARK))]
  return SETTING_DOCS.map(({ name }) => name).filter(
    (name) => read[name] !== marked[name]?.replaceAll(MARK, '#'),
  )
}

/**
 * Writes `directory`/.env (mode 0600) from .env.example with a random secret of 32 bytes, where
 * there is no .env and the process has no WEBHOOK_SECRET, not even an empty one. Returns its path,
 * or null when nothing was written.
 */
export function writeFirstEnvironment(directory: string, inherited: Environment): string | null {
  const file = join(directory, '.env')
  if (existsSync(file) || inherited['WEBHOOK_SECRET'] !== undefined) return null
  const secret = randomBytes(32).toString('hex')
  const example = readFileSync(EXAMPLE, 'utf8')
  const text = example.replace(/^WEBHOOK_SECRET=.*$/m, `WEBHOOK_SECRET=${secret}`)
  told('written', file, () => writeFileSync(file, text, { mode: 0o600, flag: 'wx' }))
  return file
}

function told<Result>(what: string, file: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigurationError(`${file} can't be ${what} (${code}).`, { cause: error })
  }
}
