// DATABASE_URL in the form SQLAlchemy made usual.

type SqliteUrl = { readonly engine: 'sqlite'; readonly file: string | null }
/** `url` holds the password: it is for the driver alone. */
type PostgresUrl = { readonly engine: 'postgresql'; readonly url: string }
export type DatabaseUrl = SqliteUrl | PostgresUrl

/** Without one, a connection is not encrypted. https://www.postgresql.org/docs/current/libpq-ssl.html */
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full']

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
  const match = /^sqlite(?:\+\w+)?:\/\/(?:\/(.+))?$/.exec(url)
  if (match === null) return null
  const file = match[1]
  if (file === undefined || file === ':memory:') return { engine: 'sqlite', file: null }
  return { engine: 'sqlite', file }
}

function parsePostgresUrl(text: string): PostgresUrl | null {
  const match = /^postgres(?:ql)?(?:\+\w+)?:(\/\/.+)$/.exec(text)
  const url = match === null ? null : URL.parse(`postgresql:${match[1]}`)
  if (url === null) return null
  const mode = url.searchParams.get('sslmode')
  if (mode !== null && !SSL_MODES.includes(mode)) return null
  // The driver's own reading of sslmode takes "require" for "verify-full".
  url.searchParams.set('uselibpqcompat', 'true')
  return { engine: 'postgresql', url: url.href }
}
