// The command `export`: streams the messages that match to stdout or into a file.
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Problem } from '../errors.ts'
import { messageFilter } from '../http/message-list.ts'
import { presentMessage } from '../http/present.ts'
import type { Direction } from '../model/event.ts'
import type { Message, MessageFilter } from '../model/message.ts'
import { scanMessages } from '../store/scan.ts'
import {
  type Command,
  choiceOption,
  ENDED,
  grouped,
  parseOptions,
  tell,
  UsageError,
} from './command.ts'
import { CSV_HEADER, csvLine } from './csv.ts'
import { databaseOf } from './settings.ts'
import { forOutput } from './terminal.ts'
import { requireOther, writeWholeFile } from './whole-file.ts'

const HELP = `
Usage: node src/main.ts export --format ndjson|csv [filters] [options]

Writes every message that is stored at this moment and matches, beside the running service.
ndjson is the API's messages, one a line; csv has the columns message_id, from, to, ts and text
(RFC 4180, UTF-8, with a header).

Filters, as in GET /messages:
  --from NUMBER    Only from this sender.
  --to NUMBER      Only to this recipient.
  --type TYPE      Only of this type, such as image.
  --direction D    Only inbound or outbound ones.
  --status STATUS  Only those whose status is this one now.
  --contact WHO    Only with this person: phone number, BSUID or username.
  --phone-number-id ID   Only of this business number.
  --since TIME     Only sent at this instant or later, such as 2025-01-15T00:00:00Z.
  --until TIME     Only sent before this instant.
  --q TEXT         Only with this in the text, in upper or lower case.
  --order ORDER    asc (the oldest first, the default) or desc.

On a terminal, characters of a text that would steer it, such as ESC, are shown as \\u001b; a file
or a pipe gets them as they are.

Options:
  --format FORMAT  ndjson or csv.
  --output FILE    Write to FILE, which appears (mode 0600) when it is complete.
  --force          Replace FILE where it exists.
  --raw            Leave csv cells as they are. Without it, a cell that a spreadsheet would run
                   as a formula (it begins with = + - @, a tab or a line end, also after blanks
                   or apostrophes) gets an apostrophe before it; phone numbers stay as they are.
  --database URL   Another database than DATABASE_URL.

Exit codes: 0 written, also where the reader of stdout wants no more; 1 failed; 2 wrong usage or
configuration.
`

const OPTIONS = {
  format: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  type: { type: 'string' },
  direction: { type: 'string' },
  status: { type: 'string' },
  contact: { type: 'string' },
  'phone-number-id': { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  q: { type: 'string' },
  order: { type: 'string', default: 'asc' },
  output: { type: 'string' },
  force: { type: 'boolean', default: false },
  raw: { type: 'boolean', default: false },
  database: { type: 'string' },
} as const

type Format = {
  readonly header: string
  readonly line: (message: Message) => string
}

/** Exports messages. */
export const exportCommand: Command = {
  name: 'export',
  summary: 'Write the messages that match as NDJSON or CSV.',
  help: HELP,
  run: async (args) => {
    const { values } = parseOptions(args, OPTIONS)
    const format = formatFrom(values.format, values.raw)
    const order = choiceOption('order', values.order, ['asc', 'desc'])
    const filter = filterFrom({
      ...values,
      direction: directionFrom(values.direction),
      phone_number_id: values['phone-number-id'],
    })
    const { output: file, force } = values
    if (force && file === undefined) throw new UsageError('--force needs --output.')
    const url = databaseOf(values.database)
    const source = url.engine === 'sqlite' ? url.file : null
    if (file !== undefined && source !== null) requireOther(file, source)
    const pages = scanMessages(url, { filter, order })
    const lines = new Lines(pages, format)
    if (file === undefined) {
      await writeToStdout(lines)
    } else {
      await writeWholeFile({ file, force }, (temporary) =>
        pipeline(Readable.from(lines), createWriteStream(temporary, { mode: 0o600, flags: 'wx' })),
      )
      tell(`${file}: ${grouped(lines.messages)} messages.`)
    }
    return ENDED
  },
}

type Pages = ReturnType<typeof scanMessages>

/** Pages of messages as pieces of text. */
class Lines implements AsyncIterable<string> {
  readonly #pages: Pages
  readonly #format: Format
  /** How many messages have gone by. */
  messages = 0

  constructor(pages: Pages, format: Format) {
    this.#pages = pages
    this.#format = format
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    const { header, line } = this.#format
    // The first page, which may be empty, comes once the database is open.
    let head = header
    for await (const page of this.#pages) {
      this.messages += page.length
      const text = head + page.map(line).join('')
      if (text !== '') yield text
      head = ''
    }
  }
}

async function* shown(lines: Lines): AsyncGenerator<string> {
  for await (const text of lines) yield forOutput(text, process.stdout)
}

async function writeToStdout(lines: Lines): Promise<void> {
  try {
    await pipeline(Readable.from(shown(lines)), process.stdout, { end: false })
  } catch (error) {
    // Whoever reads has seen enough, as `head` does.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}

function formatFrom(name: string | undefined, raw: boolean): Format {
  if (name === undefined) throw new UsageError('--format ndjson or --format csv is needed.')
  if (choiceOption('format', name, ['ndjson', 'csv']) === 'csv') {
    return { header: CSV_HEADER, line: (message) => csvLine(message, { raw }) }
  }
  if (raw) throw new UsageError('--raw is for csv.')
  return { header: '', line: (message) => `${JSON.stringify(presentMessage(message))}\n` }
}

function directionFrom(text: string | undefined): Direction | undefined {
  return text === undefined
    ? undefined
    : choiceOption<Direction>('direction', text, ['inbound', 'outbound'])
}

function filterFrom(query: Parameters<typeof messageFilter>[0]): MessageFilter {
  const problems: Problem[] = []
  const filter = messageFilter(query, problems)
  const [first] = problems
  if (first === undefined) return filter
  throw new UsageError(`--${first.loc.at(-1)}: ${first.msg}.`)
}
