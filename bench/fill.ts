// Databases for the query part, filled through the service's own store and kept between runs.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Intake } from '../src/app/model/event.ts'
import { parseFlatMessage } from '../src/app/receive/flat.ts'
import { openSqliteStore } from '../src/app/store/sqlite/sqlite-store.ts'
import { messageFor } from './messages.ts'
import { rareTextFor } from './rare-texts.ts'

export type FillOptions = {
  readonly directory: string
  readonly messages: number
  /** Fill again, even where there is one. */
  readonly refill: boolean
}

const RUN = 'stored'
const BATCH = 5000
const POLL_MS = 100
const PREFIX = 'whatsapp-webhook-bench-'

/** Whatever decides what the files hold: a change in one of these makes kept databases useless. */
const SOURCES = [
  './fill.ts',
  './messages.ts',
  '../src/app/cli/random.ts',
  './rare-texts.ts',
  './texts.ts',
  '../src/app/receive/flat.ts',
]
const DIRECTORIES = [
  '../src/app/model/',
  '../src/app/store/sql/',
  '../src/app/store/sqlite/',
  '../src/app/store/sqlite/migrations/',
]

/** The database file with so many messages, its search index complete. */
export async function filledDatabase(options: FillOptions): Promise<string> {
  const kept = join(options.directory, `${PREFIX}${version()}`)
  removeOthers(options.directory, kept)
  const directory = join(kept, String(options.messages))
  const file = join(directory, 'messages.db')
  const done = join(directory, 'complete')
  if (existsSync(done) && !options.refill) return file
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  await fill(file, options.messages)
  writeFileSync(done, '')
  return file
}

async function fill(file: string, total: number): Promise<void> {
  const store = await openSqliteStore({
    file,
    onIndexError: (error) => {
      throw error
    },
  })
  for (let first = 0; first < total; first += BATCH) {
    const count = Math.min(BATCH, total - first)
    await store.insert(Array.from({ length: count }, (_, i) => incoming(first + i, total)))
  }
  await untilIndexed(file.replace(/\.db$/, '-search.db'), total)
  await store.close()
}

/** The request that brings one of `total` messages. */
export function incoming(index: number, total: number): Intake {
  const made = messageFor(RUN, index)
  const rare = rareTextFor(index, total)
  const message = rare === null ? made : { ...made, text: `${made.text} ${rare}` }
  const body = Buffer.from(JSON.stringify(message))
  const events = [parseFlatMessage(body)]
  return { provider: 'flat', body, headers: {}, receivedAt: Date.now(), events }
}

/** Waits until the index has every message: a search must not scan the rest. */
async function untilIndexed(file: string, total: number): Promise<void> {
  const index = new DatabaseSync(file, { readOnly: true })
  const read = index.prepare('select watermark from search_state')
  while (Number(read.get()?.['watermark']) < total) await sleep(POLL_MS)
  index.close()
}

function version(): string {
  const sources = SOURCES.map((source) => new URL(source, import.meta.url))
  for (const directory of DIRECTORIES.map((path) => new URL(path, import.meta.url))) {
    const names = readdirSync(directory).filter((name) => /\.(ts|sql)$/.test(name))
    for (const name of names.sort()) sources.push(new URL(name, directory))
  }
  const digest = createHash('sha256')
  for (const source of sources) digest.update(readFileSync(source))
  return digest.digest('hex').slice(0, 12)
}

/** Of earlier versions: they are large, and no run will read them again. */
function removeOthers(directory: string, kept: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    if (name.startsWith(PREFIX) && path !== kept) rmSync(path, { recursive: true, force: true })
  }
}
