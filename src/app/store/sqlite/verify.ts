// The whole database against itself: what SQLite can check, every row against the body it was made
// of, every counter against a count, the search index against the texts. On connections of its
// own that only read, so it works beside the running service and shares no state with it.
import { DatabaseSync } from 'node:sqlite'
import type { Report, Verification, Verified } from '../verify/verification.ts'
import { openReader } from './connection.ts'
import { migrate } from './schema.ts'
import { lostCommits } from './sound-log.ts'
import { StoredBodies } from './verify-bodies.ts'
import { checkCounters, readTotals } from './verify-counters.ts'
import { guardWith } from './verify-findings.ts'
import { checkRows } from './verify-rows.ts'
import { type IndexCheck, openIndexCheck } from './verify-search-index.ts'
import { requireWholeStore } from './whole-store.ts'

export type VerifyOptions = Verification & {
  readonly messages: string
  readonly search: string
}

/** Checks everything in one state of the database, row by row, in constant memory. */
export function verifyDatabase(options: VerifyOptions): Verified {
  const { quick, report } = options
  const guard = guardWith(report)
  const lost = lostCommits(options.messages)
  if (lost !== null) report(`log: ${lost}`)
  // First: an index whose state was read before the messages is never ahead of them.
  const index = openIndexCheck({ file: options.search, quick, report, guard })
  try {
    const database = openReader(options.messages)
    try {
      // Damage there is reported later, with what else can be read.
      guardWith(() => {})('store', () => requireWholeStore(database))
      database.exec('begin')
      return verifySnapshot(database, index, options)
    } finally {
      database.close()
    }
  } finally {
    index.close()
  }
}

function verifySnapshot(
  database: DatabaseSync,
  index: IndexCheck,
  { quick, parse, report, onProgress }: VerifyOptions,
): Verified {
  const guard = guardWith(report)
  const totals = guard('totals', () => readTotals(database, report))
  guard('schema', () => checkSchema(database, report))
  guard('integrity', () => checkIntegrity(database, { quick, report }))
  const identity = guard('store', () => checkIdentity(database, report))
  index.begin({ identity: identity ?? '', lastSeq: totals?.lastSeq ?? 0 })
  const total = totals?.messages ?? 0
  const rows = guard('messages', () =>
    checkRows(database, {
      bodies: new StoredBodies(database, parse, report),
      report,
      lastSeq: totals?.lastSeq ?? 0,
      onRow: (row, count) => {
        index.row(row)
        onProgress(count, total)
      },
    }),
  )
  index.end(rows !== null)
  const senders = guard('counters', () => checkCounters(database, { totals, report }))
  return { rows: rows ?? 0, senders: senders ?? 0, index: index.state }
}

function checkIntegrity(
  database: DatabaseSync,
  { quick, report }: { quick: boolean; report: Report },
): void {
  const check = quick ? 'pragma quick_check' : 'pragma integrity_check'
  for (const row of database.prepare(check).all()) {
    const [finding] = Object.values(row)
    if (finding !== 'ok') report(`integrity: ${finding}`)
  }
}

type SchemaObject = { type: string; name: string; sql: string | null }

/** A missing unique index would go unnoticed until the first message is stored twice. */
function checkSchema(database: DatabaseSync, report: Report): void {
  const found = new Map(schemaOf(database).map((object) => [object.name, object]))
  for (const { type, name, sql } of expectedSchema()) {
    const object = found.get(name)
    if (object === undefined) report(`schema: the ${type} ${name} is missing.`)
    else if (object.sql !== sql) report(`schema: the ${type} ${name} is not as it was created.`)
  }
  const triggers = [...found.values()].filter(({ type }) => type === 'trigger')
  for (const { name } of triggers) report(`schema: the trigger ${name} does not belong there.`)
}

function expectedSchema(): SchemaObject[] {
  const empty = new DatabaseSync(':memory:')
  migrate(empty)
  const schema = schemaOf(empty)
  empty.close()
  return schema
}

function schemaOf(database: DatabaseSync): SchemaObject[] {
  return database
    .prepare(
      "select type, name, sql from sqlite_schema where name not like 'sqlite\\_%' escape '\\'",
    )
    .all() as SchemaObject[]
}

function checkIdentity(database: DatabaseSync, report: Report): string | null {
  const rows = database.prepare('select identity from store').all() as { identity: string }[]
  const [row] = rows
  if (rows.length === 1 && row !== undefined && /^[0-9a-f]{32}$/.test(row.identity)) {
    return row.identity
  }
  report('store: there should be one row with an identity.')
  return null
}
