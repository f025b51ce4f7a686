// The files of a new PostgreSQL cluster. What initdb writes is the same each time and takes it a second
// of a core: so it is kept, and copied for each server that asks for nothing else.
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateDirectory, unprivileged } from './unprivileged.ts'

const FIRST_WITH_BUILTIN_LOCALE = 17

/** Writes a new cluster into an empty directory; `command` is initdb, and how it is to be called. */
export function initialize(directory: string, command: readonly string[]): void {
  const [program = '', ...args] = command
  execFileSync(program, [...args, `--pgdata=${directory}`], { ...unprivileged(), stdio: 'pipe' })
}

/** Copies a new cluster into an empty directory: the one that the same command wrote before. */
export function copyNew(directory: string, command: readonly string[]): void {
  const kept = keptCluster(command)
  execFileSync('cp', ['-a', `${kept}/.`, directory], { stdio: 'pipe' })
}

/** How initdb is called for the tests' clusters. */
export function initdbCommand(initdb: string): string[] {
  return [
    initdb,
    '--username=postgres',
    '--auth=trust',
    '--no-sync',
    '--encoding=UTF8',
    '--locale=C',
    ...localeOf(initdb),
  ]
}

/** The directory that is never served and only copied. */
function keptCluster(command: readonly string[]): string {
  const owner = unprivileged().uid ?? process.getuid?.() ?? 0
  const [initdb = ''] = command
  const digest = hash('sha256', [versionOf(initdb), ...command].join('\n')).slice(0, 12)
  const place = join(tmpdir(), `webhook-test-cluster-${digest}-${owner}`)
  if (!existsSync(place)) keep(place, command)
  if (statSync(place).uid !== owner) throw new Error(`${place} belongs to another user.`)
  return place
}

function keep(place: string, command: readonly string[]): void {
  const draft = privateDirectory()
  initialize(draft, command)
  try {
    renameSync(draft, place)
  } catch (error) {
    rmSync(draft, { recursive: true })
    // Another process was first.
    if (!existsSync(place)) throw error
  }
}

/** A locale that knows letters, and that every machine has. */
function localeOf(initdb: string): readonly string[] {
  return Number(/(\d+)\.\d/.exec(versionOf(initdb))?.[1]) < FIRST_WITH_BUILTIN_LOCALE
    ? ['--locale-provider=icu', '--icu-locale=und']
    : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']
}

function versionOf(initdb: string): string {
  return execFileSync(initdb, ['--version'], { encoding: 'utf8' })
}
