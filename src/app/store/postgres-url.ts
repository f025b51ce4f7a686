// DATABASE_URL where it names a PostgreSQL. What the driver would pass over without a word is refused:
// a parameter whose name is misspelt may be the one that asks for encryption.

/** `url` holds the password: it is for the driver alone. */
export type PostgresUrl = { readonly engine: 'postgresql'; readonly url: string }

/** Without one, a connection is not encrypted. https://www.postgresql.org/docs/current/libpq-ssl.html */
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full']
/** What others take too, and what may go on without encryption although the server offers it. */
const WEAK_MODES = ['allow', 'prefer']

/**
 * What the driver does as it is told, and `connect_timeout`, which has no need to: the service waits
 * for a server anyway. No `password`: one with an unescaped & would end in another parameter's name.
 */
const PARAMETERS = [
  'application_name',
  'connect_timeout',
  'host',
  'options',
  'port',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
  'user',
]

const POSTGRES = /^postgres(?:ql)?(?:\+\w+)?:(\/\/.+)$/
/** Behind an unescaped one of them, the rest of a password is read as another part of the URL. */
const ENDS_EARLY = /[/?#].*@/

/** The database a URL names; null where it names none, or not as it may be used. */
export function parsePostgresUrl(text: string): PostgresUrl | null {
  const url = postgresUrl(text)
  if (url === null || isCutShort(url) || parameterFault(url) !== null) return null
  // The driver's own reading of sslmode takes "require" for "verify-full".
  url.searchParams.set('uselibpqcompat', 'true')
  return { engine: 'postgresql', url: url.href }
}

/** What is wanted in the place of a text that is refused; null where nothing of it is PostgreSQL's. */
export function wantedPostgresUrl(text: string): string | null {
  const rest = POSTGRES.exec(text)?.[1]?.slice('//'.length) ?? ''
  const url = postgresUrl(text)
  const fault = url === null ? null : parameterFault(url)
  if ((url === null || isCutShort(url) || fault !== null) && ENDS_EARLY.test(rest)) {
    return 'a URL whose user and password have %2F, %3F and %23 in the place of each /, ? and #'
  }
  return fault
}

function postgresUrl(text: string): URL | null {
  const match = POSTGRES.exec(text)
  return match === null ? null : URL.parse(`postgresql:${match[1]}`)
}

function isCutShort({ hash, pathname }: URL): boolean {
  return hash !== '' || pathname.includes('@')
}

/** What the parameters should be; null where they are so. Shows a name of one at most. */
function parameterFault({ searchParams }: URL): string | null {
  const names = [...searchParams.keys()]
  const unknown = names.find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined) {
    const shown = /^[\w.-]{1,40}$/.test(unknown) ? unknown : 'one of them'
    return `a PostgreSQL URL with parameters that are known here: ${shown} is none of ${PARAMETERS.join(', ')}`
  }
  // Of two, the driver takes the last.
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    return `a PostgreSQL URL with each parameter once, and not ${twice} twice`
  return modeFault(searchParams.get('sslmode')) ?? emptyFault(searchParams)
}

function modeFault(mode: string | null): string | null {
  if (mode === null || SSL_MODES.includes(mode)) return null
  const modes = `${SSL_MODES.slice(0, -1).join(', ')} or ${SSL_MODES.at(-1)}`
  const found = WEAK_MODES.includes(mode) ? `: ${mode} is not supported` : ''
  return `a PostgreSQL URL with sslmode=${modes}, or without it${found}`
}

/** To the driver, an `sslrootcert` without a file is none, and asks for no encryption. */
function emptyFault(parameters: URLSearchParams): string | null {
  const [empty] = [...parameters].find(([, value]) => value === '') ?? []
  return empty === undefined ? null : `a PostgreSQL URL with a value for ${empty}, or without it`
}
