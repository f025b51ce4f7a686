// A connection whose URL may name files of certificates. The driver reads them where it makes a
// client, and throws there, also in the middle of a pool's own work, where nobody can catch it.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Client, type ClientConfig } from 'pg'
import { UnusableFileError } from './tls-faults.ts'

const FILES = ['sslrootcert', 'sslcert', 'sslkey']

type Connected = ((error: Error) => void) | ((error: null, client: Client) => void)

/** A client that can always be made: what is wrong with its files is why it does not connect. */
export class TlsClient extends Client {
  readonly #fault: UnusableFileError | null

  constructor(config: ClientConfig = {}) {
    const fault = faultIn(URL.parse(config.connectionString ?? ''))
    super(fault === null ? config : {})
    this.#fault = fault
  }

  override connect(): Promise<Client>
  override connect(connected: Connected): void
  override connect(connected?: Connected): Promise<Client> | undefined {
    const fault = this.#fault
    if (connected === undefined) {
      return fault === null ? super.connect() : Promise.reject(fault)
    }
    if (fault === null) super.connect(connected)
    else queueMicrotask(() => (connected as (error: Error) => void)(fault))
    return undefined
  }
}

function faultIn(url: URL | null): UnusableFileError | null {
  if (url === null) return null
  const parameters = url.searchParams
  for (const name of FILES) {
    const file = parameters.get(name)
    const fault = file ? fileFault(name, file) : null
    if (fault !== null) return fault
  }
  if (parameters.get('sslmode') !== 'verify-ca' || parameters.get('sslrootcert')) return null
  return new UnusableFileError('sslmode=verify-ca in its URL needs sslrootcert=FILE beside it')
}

function fileFault(name: string, file: string): UnusableFileError | null {
  const where = `${name}=${file} in its URL`
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const code = String((cause as NodeJS.ErrnoException).code)
    return new UnusableFileError(
      `${where} can't be read (${code}): correct the path, or let the service's user read the file`,
      { code, cause },
    )
  }
  if (name !== 'sslrootcert' || holdsCertificate(text)) return null
  return new UnusableFileError(
    `${where} holds no certificate: put the one of the server's authority there, in PEM`,
  )
}

/** Of a file that holds none, Node.js makes the authorities that everybody trusts. */
function holdsCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}
