// Why the service can't listen, and what to do.
import type { Config } from '../config.ts'
import { ConfigurationError } from '../errors.ts'

/** The error to end with, as a sentence; null for one of another kind. */
export function listenFault(
  error: NodeJS.ErrnoException,
  { port }: Pick<Config, 'port'>,
): Error | null {
  const { syscall, code } = error
  const told = (sentence: string) => new Error(sentence, { cause: error })
  if (syscall === 'getaddrinfo') {
    return told(
      `HOST is no address, and no name that is known here (${code}): set it to an address of this machine.`,
    )
  }
  if (syscall !== 'listen') return null
  if (code === 'EADDRINUSE') {
    return told(`Port ${port} is in use: stop what listens there, or set PORT to another.`)
  }
  if (code === 'EADDRNOTAVAIL') {
    return told('HOST is no address of this machine: set it to one that is, such as 127.0.0.1.')
  }
  if (code !== 'EACCES') return null
  return new ConfigurationError(`Port ${port} is not for this user: set PORT to 1024 or more.`, {
    cause: error,
  })
}
