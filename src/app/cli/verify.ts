// The command `verify`: reads the whole database and names everything that disagrees.
import { flat } from '../receive/flat.ts'
import { cloudApi } from '../receive/meta.ts'
import { searchFileOf } from '../store/sqlite/search-index.ts'
import { verifyDatabase } from '../store/sqlite/verify.ts'
import { type Command, ENDED, FAILED, grouped, parseOptions, print, visible } from './command.ts'
import { Progress } from './progress.ts'
import { databaseFile } from './settings.ts'

const HELP = `
Usage: node src/main.ts verify [--quick] [--database URL]

Reads the whole database, beside the running service if there is one, and changes nothing:
 - SQLite's own integrity check, and that every table and index is as it was created;
 - every raw body that has not expired against its SHA-256, and every column against what
   the body says;
 - ids that are stored twice, and rows that are missing from the sequence;
 - every counter against a count, and each current status against the history;
 - the search index against the texts, as far as it has come.
Each thing that disagrees is named in a line, with ids but never with a text; the last line sums
up. It reads one state of the database: while it runs, the log of a busy service grows.

Options:
  --quick          Leave out what takes the longest: SQLite's comparison of every table with
                   its indexes and of the search index with itself.
  --database URL   Another database than DATABASE_URL, such as sqlite:////backup/messages.db.

Exit codes: 0 everything agrees, 1 something does not or can't be read, 2 wrong usage or
configuration.
`

/** Only to parse: what is stored was authentic when it came. */
const PROVIDERS = { flat: flat([]), 'cloud-api': cloudApi([]) }

/** Verifies a database. */
export const verifyCommand: Command = {
  name: 'verify',
  summary: 'Check every stored message, counter and index.',
  help: HELP,
  run: async (args) => {
    const { values } = parseOptions(args, {
      quick: { type: 'boolean' },
      database: { type: 'string' },
    })
    const messages = databaseFile(values.database)
    const progress = new Progress('Verifying', 'messages')
    let findings = 0
    const { rows, senders, index } = verifyDatabase({
      messages,
      search: searchFileOf(messages),
      quick: values.quick === true,
      parse: (provider, body, receivedAt) => PROVIDERS[provider].parse(body, receivedAt),
      report: (finding) => {
        findings++
        progress.finish()
        print(visible(finding))
      },
      onProgress: (done, total) => progress.update(done, total),
    })
    progress.finish()
    const verdict = findings === 0 ? 'everything agrees' : `${grouped(findings)} things disagree`
    print(`${grouped(rows)} messages of ${grouped(senders)} senders, ${index}: ${verdict}.`)
    return findings === 0 ? ENDED : FAILED
  },
}
