// DATABASE_URL in the form SQLAlchemy made usual.

export type DatabaseUrl = { readonly engine: 'sqlite'; readonly file: string | null }

/**
 * The database a URL names: `sqlite:///relative/file.db`, `sqlite:////absolute/file.db`, or
 * `sqlite://` for one in memory (`file` null), which ends with the process. A `+driver` suffix is
 * accepted and ignored. Null when it is none of these.
 */
export function parseDatabaseUrl(url: string): DatabaseUrl | null {
  const match = /^sqlite(?:\+\w+)?:\/\/(?:\/(.+))?$/.exec(url)
  if (match === null) return null
  const file = match[1]
  if (file === undefined || file === ':memory:') return { engine: 'sqlite', file: null }
  return { engine: 'sqlite', file }
}
