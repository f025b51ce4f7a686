// The environment of the process with .env behind it, and the .env of a first start.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Environment } from '../config.ts'
import { ConfigurationError } from '../errors.ts'

const EXAMPLE = new URL('../../../.env.example', import.meta.url)

/** Variables of `directory`/.env with those of the process over them, empty ones included. */
export function readEnvironment(directory: string, inherited: Environment): Environment {
  const file = join(directory, '.env')
  if (!existsSync(file)) return inherited
  return { ...parseEnv(told('read', file, () => readFileSync(file, 'utf8'))), ...inherited }
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
