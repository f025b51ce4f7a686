// The programs that are measured: the service and its peers.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export type ProgramName = 'service' | 'limit' | 'naive' | 'original' | 'least' | 'least-postgres'

export type Program = {
  readonly name: ProgramName
  /** For the report: what it is. */
  readonly title: string
  readonly command: string
  readonly args: readonly string[]
  /** Beside what every program is told of port, secrets and database. */
  readonly environment?: Readonly<Record<string, string>>
  /** Whether it stores messages, in a table `messages` with a column `message_id`. */
  readonly stores: boolean
}

const SYSTEM_PYTHON = '/usr/bin/python3'

export const SERVICE: Program = {
  name: 'service',
  title: 'the service',
  command: process.execPath,
  args: ['--max-semi-space-size=8', pathOf('../src/main.cjs'), 'serve'],
  environment: { MALLOC_ARENA_MAX: '1' },
  stores: true,
}

export const LIMIT: Program = {
  name: 'limit',
  title: '(a) node:http, no storage',
  command: process.execPath,
  args: [pathOf('./peers/limit.ts')],
  stores: false,
}

export const NAIVE: Program = {
  name: 'naive',
  title: '(b) Fastify, a commit per request',
  command: process.execPath,
  args: [pathOf('./peers/naive.ts')],
  stores: true,
}

export const ORIGINAL: Program = {
  name: 'original',
  title: '(c) FastAPI and SQLAlchemy, a commit per request',
  command: SYSTEM_PYTHON,
  args: [pathOf('./peers/original.py')],
  stores: true,
}

export const LEAST: Program = {
  name: 'least',
  title: '(d) one table, its key, a shared commit',
  command: process.execPath,
  args: [pathOf('./peers/least.ts')],
  stores: true,
}

/** Needs a database with the tables of the service. */
export const LEAST_POSTGRES: Program = {
  name: 'least-postgres',
  title: 'one statement a batch, on one connection',
  command: process.execPath,
  args: [pathOf('./peers/least-postgres.ts')],
  stores: true,
}

/** The versions (c) runs with, or null where Debian's packages for it are not installed. */
export function originalVersions(): string | null {
  const script =
    'import platform, sqlite3, fastapi, uvicorn, sqlalchemy, pydantic as p; ' +
    'print("Python", platform.python_version(), "FastAPI", fastapi.__version__, ' +
    '"uvicorn", uvicorn.__version__, "SQLAlchemy", sqlalchemy.__version__, ' +
    '"pydantic", p.VERSION, "SQLite", sqlite3.sqlite_version)'
  try {
    return execFileSync(SYSTEM_PYTHON, ['-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return null
  }
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
