// The command `verify`: reads the whole database and names everything that disagrees.
import { flat } from '../receive/flat.ts'
import { cloudApi } from '../receive/meta.ts'
import { verifyStore } from '../store/verify.ts'
import { type Command, counted, ENDED, FAILED, parseOptions, print, visible } from './command.ts'
import { Progress } from './progress.ts'
import { databaseOf } from './settings.ts'

const HELP = `
Usage: node src/main.ts verify [--quick] [--database URL]

Reads the whole database, beside the running service if there is one, and changes nothing:
 - that every table, index and function is as it was created, and that indexes agree with their
   tables: SQLite's own integrity check; on PostgreSQL the extension amcheck, where it is
   installed and this user may call it, for all B-tree indexes;
 - every raw body that has not expired against its SHA-256, and every column against what
   the body says, when it came and in which format; what each message says now against its
   edits and revocations;
 - ids that are stored twice, and rows that are missing: on SQLite from the sequence, which has
   no gaps but those that a copy from PostgreSQL brought and a backup left; on PostgreSQL, where
   repeated messages leave gaps, of bodies that are stored;
 - raw bodies that are missing though they have not expired, as one that came before is there;
 - every counter against a count, and each current status against the history;
 - that no commit is lost behind damage to SQLite's write-ahead log;
 - what searches compare against the texts: SQLite's search index, as far as it has come, and
   PostgreSQL's folded texts.
Nothing tells of raw bodies that are missing from the oldest on, as those that expire are; of a
raw body and all that was read from it, changed alike; or of the headers of a request.
Each thing that disagrees is named in a line, with ids but never with a text; the last line sums
up. It reads one state of the database: while it runs, the log of a busy service grows, and
PostgreSQL keeps old rows, and raw bodies that expire, until the end.

Options:
  --quick          Leave out what takes the longest: the comparison of every table with its
                   indexes, and of SQLite's search index with itself.
  --database URL   Another database than DATABASE_URL, such as sqlite:////backup/messages.db.
                   A password in it can be read by everybody on this machine: set PGPASSWORD.

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
    const url = databaseOf(values.database)
    const progress = new Progress('Verifying', 'messages')
    let findings = 0
    const { rows, senders, index } = await verifyStore(url, {
      quick: values.quick === true,
      parse: (provider, ...body) => PROVIDERS[provider].parse(...body),
      report: (finding) => {
        findings++
        progress.finish()
        print(visible(finding))
      },
      onProgress: (done, total) => progress.update(done, total),
    })
    progress.finish()
    const disagree = counted(findings, 'thing disagrees', 'things disagree')
    const verdict = findings === 0 ? 'everything agrees' : disagree
    print(`${counted(rows, 'message')} of ${counted(senders, 'sender')}, ${index}: ${verdict}.`)
    return findings === 0 ? ENDED : FAILED
  },
}
