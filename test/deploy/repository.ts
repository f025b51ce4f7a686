// The repository as it would be cloned, for tests of what surrounds the code.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Paths of the files git tracks or, once they are added, will. */
export function repositoryFiles(): string[] {
  const options = { cwd: ROOT, encoding: 'utf8' } as const
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    options,
  )
  const files = listed.split('\0').filter((file) => file !== '' && existsSync(join(ROOT, file)))
  return [...new Set(files)]
}

export function readRepositoryFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
