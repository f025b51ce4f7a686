// DATABASE_URL in the form SQLAlchemy made usual.

type SqliteUrl = { readonly engine: 'sqlite'; readonly file: string | null }
/** `url` holds the password: it is for the driver alone. */
type PostgresUrl = { readonly engine: 'postgresql'; readonly url: string }
export type DatabaseUrl = SqliteUrl | PostgresUrl

/** Without one, a connection is not encrypted. https://www.postgresql.org/docs/current/libpq-ssl.html */
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full']
/** What others take too, and what may go on without encryption although the server offers it. */
const WEAK_MODES = ['allow', 'prefer']

const SQLITE = /^sqlite(?:\+\w+)?:\/\/(?:\/(.+))?$/
/** Parameters, which other programs take there, would become a part of the file's name. */
const SQLITE_WITH_PARAMETERS = /^sqlite(?:\+\w+)?:\/\/.*\?/
/** Only a shell knows whose directory that is; here it would be made, under this name. */
const SQLITE_IN_HOME = /^sqlite(?:\+\w+)?:\/\/\/\/?~(?:[^/]*\/|$)/

const POSTGRES = /^postgres(?:ql)?(?:\+\w+)?:(\/\/.+)$/
/** Behind an unescaped one of them, the rest of a password is read as another part of the URL. */
const ENDS_EARLY = /[/?#].*@/

/**
 * The database a URL names: `sqlite:///relative/file.db`, `sqlite:////absolute/file.db`,
 * `sqlite://` for one in memory (`file` null), which ends with the process, or
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

function parsePostgresUrl(text: string): PostgresUrl | null {
  const url = postgresUrl(text)
  if (url === null || url.hash !== '') return null
  const mode = url.searchParams.get('sslmode')
  if (mode !== null && !SSL_MODES.includes(mode)) return null
  // The driver's own reading of sslmode takes "require" for "verify-full".
  url.searchParams.set('uselibpqcompat', 'true')
  return { engine: 'postgresql', url: url.href }
}

function postgresUrl(text: string): URL | null {
  const match = POSTGRES.exec(text)
  return match === null ? null : URL.parse(`postgresql:${match[1]}`)
}

/**
 * What is wanted in the place of a text that `parseDatabaseUrl` refuses, in words that go on after
 * "should be". They show nothing of it, which may be a password.
 */
export function wantedDatabaseUrl(text: string): string {
  const wanted = wantedSqliteUrl(text)
  if (wanted !== null) return wanted
  const url = postgresUrl(text)
  const rest = POSTGRES.exec(text)?.[1]?.slice('//'.length) ?? ''
  if ((url === null || url.hash !== '') && ENDS_EARLY.test(rest)) {
    return 'a URL whose user and password have %2F, %3F and %23 in the place of each /, ? and #'
  }
  const mode = url?.searchParams.get('sslmode') ?? null
  if (mode !== null && !SSL_MODES.includes(mode)) {
    const modes = `${SSL_MODES.slice(0, -1).join(', ')} or ${SSL_MODES.at(-1)}`
    const found = WEAK_MODES.includes(mode) ? `: ${mode} is not supported` : ''
    return `a PostgreSQL URL with sslmode=${modes}, or without it${found}`
  }
  return 'a URL such as sqlite:///./data/messages.db or postgresql://user:password@host/database?sslmode=verify-full'
}
