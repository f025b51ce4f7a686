// A file that appears under its name only when it is complete and on its disk.
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { keyFileBeside } from '../api-key.ts'
import { searchFileOf } from '../store/sqlite/search-index.ts'
import { UsageError } from './command.ts'
import { SIGNALS_AND_HANGUP } from './signals.ts'

/** How SQLite names what belongs to a database. Commits may be in its log alone. */
const BELONGS_TO_DATABASE = /-(?:wal|shm|journal)$/

export type WholeFile = {
  readonly file: string
  /** Whether a file of this name may be replaced. */
  readonly force: boolean
}

/**
 * Lets `write` make a file in a directory of its own beside `file`, then fsyncs and renames it
 * (mode 0600). Where it fails or is stopped, nothing is left; where the process is killed, a
 * directory `….partial-…` is, which can be deleted.
 */
export async function writeWholeFile<Result>(
  { file, force }: WholeFile,
  write: (temporary: string) => Promise<Result>,
): Promise<Result> {
  requireFree(file, force)
  // Listening begins first: a signal right after the directory is there must not leave it behind.
  let directory: string | undefined
  const remove = () => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  }
  const stopListening = onSignal(remove)
  try {
    directory = createBeside(file)
    const temporary = join(directory, 'file')
    const result = await write(temporary)
    chmodSync(temporary, 0o600)
    sync(temporary)
    // Somebody may have been quicker than a long write.
    requireFree(file, force)
    renameSync(temporary, file)
    sync(dirname(resolve(file)))
    return result
  } finally {
    stopListening()
    remove()
  }
}

/** --force must not be able to replace what is being read. */
export function requireOther(file: string, database: string): void {
  const target = realPathOf(file)
  if ([database, searchFileOf(database)].some((other) => realPathOf(other) === target)) {
    throw new UsageError(`${file} is the database itself.`)
  }
  if (realPathOf(keyFileBeside(database)) === target) {
    throw new UsageError(`${file} holds the key of the service.`)
  }
}

function realPathOf(file: string): string {
  if (existsSync(file)) return realpathSync(file)
  const directory = dirname(resolve(file))
  return existsSync(directory) ? join(realpathSync(directory), basename(file)) : resolve(file)
}

function requireFree(file: string, force: boolean): void {
  if (file === '') throw new UsageError('The name of the file to write is empty.')
  const owner = file.replace(BELONGS_TO_DATABASE, '')
  if (owner !== file && existsSync(owner)) {
    throw new UsageError(`${file} belongs to the database ${owner}.`)
  }
  // A log is applied to whatever database lies beside it, also to one it does not belong to.
  for (const log of [`${file}-wal`, `${file}-journal`]) {
    if (existsSync(log)) throw new UsageError(`${file} is in use as a database: there is ${log}.`)
  }
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isFile()) throw new UsageError(`${file} exists and is no regular file.`)
  if (!force) throw new UsageError(`${file} exists; --force replaces it.`)
}

/** On the same disk, or a rename would not be one step. */
function createBeside(file: string): string {
  try {
    return mkdtempSync(`${resolve(file)}.partial-`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`Nothing can be written to ${dirname(resolve(file))} (${code}).`, {
      cause: error,
    })
  }
}

/** Cleans up before the process ends by a signal; the signal still ends it. */
function onSignal(cleanUp: () => void): () => void {
  const listener = (signal: NodeJS.Signals) => {
    stop()
    cleanUp()
    process.kill(process.pid, signal)
  }
  const stop = () => {
    for (const signal of SIGNALS_AND_HANGUP) process.off(signal, listener)
  }
  for (const signal of SIGNALS_AND_HANGUP) process.on(signal, listener)
  return stop
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
