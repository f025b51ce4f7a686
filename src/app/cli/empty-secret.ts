// The empty `WEBHOOK_SECRET=` of a .env that was copied from .env.example.
import { randomBytes } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Environment } from '../config.ts'
import { writeWholeFile } from './whole-file.ts'

const EMPTY =
  /^((?:export[ \t]+)?WEBHOOK_SECRET[ \t]*=)(?:[ \t]*(?:""|''))?(?=[ \t]*(?:[ \t]#.*)?\r?$)/m

/**
 * Puts a random secret of 32 bytes into the line of `directory`/.env where it is empty (mode 0600, in
 * one step), unless the process has a WEBHOOK_SECRET, even an empty one. Returns the path of the
 * file, or null when nothing was written: also where it could not be.
 */
export async function fillEmptySecret(
  directory: string,
  inherited: Environment,
): Promise<string | null> {
  if (inherited['WEBHOOK_SECRET'] !== undefined) return null
  try {
    const file = realpathSync(join(directory, '.env'))
    const text = withSecret(readFileSync(file, 'utf8'))
    // The new file is this user's: whoever owned the old one could not read it any more.
    if (text === null || statSync(file).uid !== process.geteuid?.()) return null
    await writeWholeFile({ file, force: true }, (temporary) => writeFile(temporary, text))
    return file
  } catch {
    // The start says what is missing, and reading the file what is wrong with it.
    return null
  }
}

/** The text with a secret in its empty line; null where none is, or another one counts. */
function withSecret(text: string): string | null {
  if (parseEnv(text)['WEBHOOK_SECRET'] !== '') return null
  const secret = randomBytes(32).toString('hex')
  const filled = text.replace(EMPTY, `$1${secret}`)
  return parseEnv(filled)['WEBHOOK_SECRET'] === secret ? filled : null
}
