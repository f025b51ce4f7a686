// The files of a new PostgreSQL cluster. What initdb writes is the same each time and takes it a second
// of a core: so it is kept, and copied for each server that asks for nothing else.
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keep } from './kept-directory.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { privateDirectory, unprivileged } from './unprivileged.ts'

const FIRST_WITH_BUILTIN_LOCALE = 17

export type ClusterOptions = {
  /** More options for initdb. */
  readonly initdb?: readonly string[]
  /** A command that becomes each program of it: its arguments come after those that are here. */
  readonly via?: readonly string[]
}

/** Writes a new cluster into an empty directory. */
export function writeCluster(directory: string, { initdb = [], via = [] }: ClusterOptions): void {
  const program = join(postgresBinaries(), 'initdb')
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' })
  const command = [
    ...[program, '--username=postgres', '--auth=trust', '--no-sync', '--encoding=UTF8'],
    ...['--locale=C', ...localeOf(version)],
  ]
  if (initdb.length + via.length > 0) initialize(directory, [...via, ...command, ...initdb])
  else execFileSync('cp', ['-a', `${keptCluster(version, command)}/.`, directory])
}

/** The directory that is never served and only copied. */
function keptCluster(version: string, command: readonly string[]): string {
  const owner = unprivileged().uid ?? process.getuid?.()
  const digest = hash('sha256', [version, ...command].join('\n')).slice(0, 12)
  const place = join(tmpdir(), `webhook-test-cluster-${digest}-${owner ?? 0}`)
  keep(place, owner, () => {
    const draft = privateDirectory()
    initialize(draft, command)
    return draft
  })
  return place
}

function initialize(directory: string, command: readonly string[]): void {
  const [program = '', ...args] = command
  execFileSync(program, [...args, `--pgdata=${directory}`], { ...unprivileged(), stdio: 'pipe' })
}

/** A locale that knows letters, and that every machine has. */
function localeOf(version: string): readonly string[] {
  return Number(/(\d+)\.\d/.exec(version)?.[1]) < FIRST_WITH_BUILTIN_LOCALE
    ? ['--locale-provider=icu', '--icu-locale=und']
    : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']
}
