// Certificates for tests, made by openssl.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export type Certificate = { readonly key: string; readonly certificate: string }

type IssueOptions = {
  readonly directory: string
  /** What the files are named after. */
  readonly name: string
  readonly host: string
  /** Less than none: it has expired. Default: two. */
  readonly days?: number
}

/** A certificate that vouches for itself, in files named after its host. */
export function selfSigned(directory: string, host: string): Certificate {
  const made = filesFor(directory, host)
  openssl([
    ...['req', '-x509', ...NEW_KEY, made.key, '-days', '2', '-out', made.certificate],
    ...subjectOf(host),
  ])
  return made
}

/** A certificate that `authority` vouches for. */
export function issuedBy(
  authority: Certificate,
  { directory, name, host, days = 2 }: IssueOptions,
): Certificate {
  const made = filesFor(directory, name)
  const request = join(directory, `${name}.csr`)
  openssl(['req', ...NEW_KEY, made.key, '-out', request, ...subjectOf(host)])
  openssl([
    ...['x509', '-req', '-in', request, '-out', made.certificate, '-days', `${days}`],
    ...['-CA', authority.certificate, '-CAkey', authority.key, '-CAcreateserial'],
    ...['-copy_extensions', 'copy'],
  ])
  return made
}

const NEW_KEY = ['-newkey', 'rsa:2048', '-nodes', '-keyout']

function filesFor(directory: string, name: string): Certificate {
  return { key: join(directory, `${name}.key`), certificate: join(directory, `${name}.pem`) }
}

function subjectOf(host: string): readonly string[] {
  return ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`]
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
