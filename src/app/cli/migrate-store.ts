// The command `migrate-store`: copies a store into another database, of either engine.
import { resolve } from 'node:path'
import {
  type CopyProgress,
  type CopyResult,
  type CopySource,
  type CopyTarget,
  copyStore,
} from '../store/copy/copy-store.ts'
import { openCopySource, openCopyTarget } from '../store/copy/ends.ts'
import { type DatabaseUrl, parseDatabaseUrl, wantedDatabaseUrl } from '../store/database-url.ts'
import {
  type Command,
  ENDED,
  FAILED,
  grouped,
  parseArguments,
  print,
  tell,
  UsageError,
} from './command.ts'
import { Progress } from './progress.ts'

const HELP = `
Usage: node src/main.ts migrate-store FROM_URL TO_URL

Copies everything that is stored from one database into another: from SQLite into PostgreSQL, or
back, or from one server to another. Messages, events, people, raw bodies and their numbers stay
as they are, so cursors and Last-Event-ID go on; counters and the search are made anew. At the end
both are read once more and compared, table by table, by count and SHA-256.

Stop the service before: what it stores meanwhile may be left out, and the comparison then says so.
TO_URL has to be empty, or a part of this same copy: after an interruption the same command goes on
where it was, and after its end it compares once more. No service starts on a copy that is not
complete.

A password in an argument can be read by everybody on this machine: leave it out of the URL and set
PGPASSWORD, or use ~/.pgpass.

  node src/main.ts migrate-store sqlite:///./data/messages.db postgresql://webhook@db/webhook

Exit codes: 0 copied and equal, 1 failed or different, 2 wrong usage.
`

/** Copies a store. */
export const migrateStoreCommand: Command = {
  name: 'migrate-store',
  summary: 'Copy everything into another database.',
  help: HELP,
  run: async (args) => {
    const [from, to] = urlsIn(args)
    const source = await openCopySource(from)
    try {
      const target = await openCopyTarget(to)
      return report(await copyWithBars(source, target).finally(() => target.close()))
    } finally {
      await source.close()
    }
  },
}

async function copyWithBars(source: CopySource, target: CopyTarget): Promise<CopyResult> {
  const bars = {
    Copying: new Progress('Copying', 'rows'),
    Comparing: new Progress('Comparing', 'rows'),
  }
  const onProgress: CopyProgress = (work, done, total) => bars[work].update(done, total)
  try {
    return await copyStore(source, target, onProgress)
  } finally {
    for (const bar of Object.values(bars)) bar.finish()
  }
}

function report({ rows, digests, differs }: CopyResult): number {
  for (const [table, count] of Object.entries(rows)) {
    const verdict = differs.includes(table) ? 'DIFFERENT' : 'equal'
    print(`${table}: ${grouped(count)} rows, sha256 ${digests[table]}, ${verdict}`)
  }
  if (differs.length === 0) return ENDED
  tell(
    `Different: ${differs.join(', ')}. Was something stored meanwhile? Copy again into an empty database.`,
  )
  return FAILED
}

function urlsIn(args: readonly string[]): [DatabaseUrl, DatabaseUrl] {
  const names = ['FROM_URL', 'TO_URL']
  const urls = parseArguments(args, names).map((text, i) => {
    const url = parseDatabaseUrl(text)
    if (url !== null) return url
    throw new UsageError(`${names[i]} should be ${wantedDatabaseUrl(text)}.`)
  })
  const [from, to] = urls as [DatabaseUrl, DatabaseUrl]
  if (placeOf(from) === placeOf(to)) {
    throw new UsageError('FROM_URL and TO_URL name the same database.')
  }
  return [from, to]
}

function placeOf(url: DatabaseUrl): string {
  return url.engine === 'sqlite' ? resolve(url.file ?? '') : url.url
}
