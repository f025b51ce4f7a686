// DATABASE_URL in the form SQLAlchemy made usual.
import { type PostgresUrl, parsePostgresUrl, wantedPostgresUrl } from './postgres-url.ts'

type SqliteUrl = { readonly engine: 'sqlite'; readonly file: string | null }
export type DatabaseUrl = SqliteUrl | PostgresUrl

const SQLITE = /^sqlite(?:\+\w+)?:\/\/(?:\/(.+))?$/
/** Parameters, which other programs take there, would become a part of the file's name. */
const SQLITE_WITH_PARAMETERS = /^sqlite(?:\+\w+)?:\/\/.*\?/
/** Only a shell knows whose directory that is; here it would be made, under this name. */
const SQLITE_IN_HOME = /^sqlite(?:\+\w+)?:\/\/\/\/?~(?:[^/]*\/|$)/

/**
 * The database a URL names: `sqlite:///relative/file.db`, `sqlite:////absolute/file.db`,
 * `sqlite://` for a temporary file (`file` null), which is removed when its store is closed, or
 * `postgresql://user:password@host:port/database?sslmode=verify-full`. A `+driver` suffix is
 * accepted and ignored. Null when it is none of these.
 */
export function parseDatabaseUrl(url: string): DatabaseUrl | null {
  return parseSqliteUrl(url) ?? parsePostgresUrl(url)
}

function parseSqliteUrl(url: string): SqliteUrl | null {
  const match = SQLITE.exec(url)
  if (match === null || wantedSqliteUrl(url) !== null) return null
  const file = match[1]
  if (file === undefined || file === ':memory:') return { engine: 'sqlite', file: null }
  return { engine: 'sqlite', file }
}

function wantedSqliteUrl(text: string): string | null {
  if (SQLITE_WITH_PARAMETERS.test(text)) {
    return "a SQLite URL without parameters, such as sqlite:////var/lib/messages.db: the file's name may not hold a ?"
  }
  return SQLITE_IN_HOME.test(text)
    ? 'a SQLite URL with the path of a directory in the place of ~, which means none here'
    : null
}

/**
 * What is wanted in the place of a text that `parseDatabaseUrl` refuses, in words that go on after
 * "should be". They show nothing of it, which may be a password, but the name of a parameter.
 */
export function wantedDatabaseUrl(text: string): string {
  return (
    wantedSqliteUrl(text) ??
    wantedPostgresUrl(text) ??
    'a URL such as sqlite:///./data/messages.db or postgresql://user:password@host/database?sslmode=verify-full'
  )
}
