// A copy of the database while it is being written to.
import { backup, DatabaseSync } from 'node:sqlite'
import { createPrivateFile, openFirstReader, pragma } from './connection.ts'
import { schemaVersion } from './schema.ts'
import { requireWholeStore } from './whole-store.ts'

/** Pages (of 4 KiB) a step: some milliseconds, between which the process can be stopped. */
const STEP_PAGES = 2000

export type CopyOptions = {
  readonly from: string
  /** A file that does not exist yet. */
  readonly to: string
  readonly onProgress: (pages: number, total: number) => void
}

export type Copied = { readonly messages: number }

/**
 * Copies the database into one file that needs no log beside it, and checks the copy. It holds
 * every message that was committed before the call, and none by half.
 *
 * SQLite's backup begins anew whenever another process commits, and would never end under load.
 * Inside a read transaction it copies the one state that transaction sees. `vacuum into` would
 * too, but it rebuilds every index: many times as long, during which the log can't be emptied.
 */
export async function copyDatabase({ from, to, onProgress }: CopyOptions): Promise<Copied> {
  createPrivateFile(to)
  const source = openFirstReader(from)
  try {
    source.exec('begin')
    requireWholeStore(source)
    const version = schemaVersion(source)
    const messages = countMessages(source)
    const progress = ({
      totalPages,
      remainingPages,
    }: {
      totalPages: number
      remainingPages: number
    }) => onProgress(totalPages - remainingPages, totalPages)
    await backup(source, to, { rate: STEP_PAGES, progress })
    completeCopy(to, { version, messages })
    return { messages }
  } finally {
    source.close()
  }
}

/**
 * Numbers of the sequence that a copy leaves out: more than the original may give while it goes on.
 * Whoever followed the original is then in front of everything that a restored copy stores.
 */
const LEFT_OUT = 1_000_000_000

type Expected = { readonly version: number; readonly messages: number }

/**
 * Gives the copy a name of its own and numbers of its own: from here on its future is another, and
 * neither a search index that was built beside the original nor a position in its sequence must be
 * taken for one of the copy.
 */
function completeCopy(file: string, expected: Expected): void {
  const copy = new DatabaseSync(file)
  try {
    // Without a log, so that the file alone is the whole database. The service turns it on again.
    pragma(copy, 'journal_mode = delete')
    copy.exec(`begin;
      update store set identity = lower(hex(randomblob(16))) where id = 1;
      insert into gaps select last_seq + 1, last_seq + ${LEFT_OUT} from totals;
      update totals set last_seq = last_seq + ${LEFT_OUT};
      commit`)
    const found = { version: schemaVersion(copy), messages: countMessages(copy) }
    const check = String(pragma(copy, 'quick_check(1)')).replaceAll('\n', ' ')
    if (check !== 'ok') throw new Error(`The copy is damaged (${check}): verify the database.`)
    if (found.version !== expected.version || found.messages !== expected.messages) {
      throw new Error('The copy is not what was copied; nothing was kept of it.')
    }
  } finally {
    copy.close()
  }
}

function countMessages(database: DatabaseSync): number {
  const row = database.prepare('select messages from totals').get() as { messages: number }
  return row.messages
}
