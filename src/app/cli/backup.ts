// The command `backup`: a consistent copy of the database while the service goes on.
import { statSync } from 'node:fs'
import { copyDatabase } from '../store/sqlite/backup.ts'
import { type Command, ENDED, grouped, parseOptions, print, UsageError } from './command.ts'
import { Progress } from './progress.ts'
import { databaseFile } from './settings.ts'
import { requireOther, writeWholeFile } from './whole-file.ts'

const HELP = `
Usage: node src/main.ts backup FILE [--force] [--database URL]

Copies the database into FILE while the service goes on writing. The copy holds every message
that was acknowledged before the backup began, needs no other file, is checked and fsynced, and
appears under its name only then (mode 0600). A backup that is killed leaves at most a directory
FILE.partial-…, which can be deleted.

How to restore one is in docs/deployment.md: there is more to it than to put FILE in its place. The
search index is not part of a backup; the service builds it anew.

Options:
  --force          Replace FILE where it exists.
  --database URL   Another database than DATABASE_URL.

Exit codes: 0 written, 1 failed, 2 wrong usage or configuration.
`

/** Copies a database. */
export const backupCommand: Command = {
  name: 'backup',
  summary: 'Copy the database while the service runs.',
  help: HELP,
  run: async (args) => {
    const options = { force: { type: 'boolean' }, database: { type: 'string' } } as const
    const { values, argument: file } = parseOptions(args, options, 'FILE')
    if (file === undefined) throw new UsageError('There is no FILE to write to.')
    // Also what SQLite creates beside the copy is for this user alone.
    process.umask(0o077)
    const from = databaseFile(values.database)
    requireOther(file, from)
    const progress = new Progress('Copying', 'pages')
    const onProgress = (done: number, total: number) => progress.update(done, total)
    const copied = await writeWholeFile({ file, force: values.force === true }, (to) =>
      copyDatabase({ from, to, onProgress }),
    ).finally(() => progress.finish())
    const bytes = statSync(file).size
    print(`${file}: ${grouped(copied.messages)} messages, ${grouped(bytes)} bytes.`)
    return ENDED
  },
}
