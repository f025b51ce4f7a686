// Compares what a sender was told with what is stored, by a path of its own: a copy of the files,
// node:sqlite, and ids read from the stored bodies.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Sent } from './sender.ts'

/** A message and the body it came in; `id` is the one in the body. */
export type StoredRow = { id: string; body: Uint8Array; sha256: Uint8Array }

/** Everything that contradicts the promises, a sentence each; empty when all is well. */
export function anomalies(file: string, sent: ReadonlyMap<string, Sent>): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'fault-check-'))
  try {
    const copy = join(directory, 'messages.db')
    for (const suffix of ['', '-wal']) {
      if (existsSync(`${file}${suffix}`)) copyFileSync(`${file}${suffix}`, `${copy}${suffix}`)
    }
    const database = new DatabaseSync(copy)
    try {
      return [...storedAnomalies(database, sent), ...counterAnomalies(database)]
    } finally {
      database.close()
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function storedAnomalies(database: DatabaseSync, sent: ReadonlyMap<string, Sent>): string[] {
  const rows = database
    .prepare(
      `select body ->> '$.message_id' as id, body, sha256
       from messages join intakes on intakes.id = messages.intake`,
    )
    .all() as unknown as StoredRow[]
  return rowAnomalies(rows, sent)
}

/** What contradicts the record of a sender in what is stored, whatever the engine. */
export function rowAnomalies(
  rows: readonly StoredRow[],
  sent: ReadonlyMap<string, Sent>,
): string[] {
  const found: string[] = []
  const copies = new Map<string, number>()
  for (const { id, body, sha256: stored } of rows) {
    copies.set(id, (copies.get(id) ?? 0) + 1)
    const sha256 = createHash('sha256').update(body).digest('hex')
    const expected = sent.get(id)
    if (expected === undefined) found.push(`${id} is stored and was never sent`)
    else if (expected.sha256 !== sha256) found.push(`${id} is stored with other bytes`)
    else if (expected.verdict === 'rejected') found.push(`${id} was refused and is stored`)
    if (Buffer.from(stored).toString('hex') !== sha256) found.push(`${id} has a wrong digest`)
  }
  for (const [id, { verdict }] of sent) {
    const count = copies.get(id) ?? 0
    if (verdict === 'ok' && count === 0) found.push(`${id} was answered 200 and is lost`)
    if (count > 1) found.push(`${id} is stored ${count} times`)
  }
  return found
}

function counterAnomalies(database: DatabaseSync): string[] {
  const found: string[] = []
  const expect = (what: string, sql: string) => {
    for (const row of database.prepare(sql).all()) found.push(`${what}: ${JSON.stringify(row)}`)
  }
  expect(
    'the totals are wrong',
    `select * from totals where messages <> (select count(*) from messages)
      or (select count(*) from intakes) > last_intake
      or senders <> (select count(distinct sender) from messages)
      or last_seq < (select coalesce(max(seq), 0) from messages)`,
  )
  expect(
    'a counter of a sender is wrong',
    `select sender, messages from senders
     except select sender, count(*) from messages group by sender`,
  )
  expect(
    'the counters of messages are wrong',
    `select counter, sum(count) as counted from counts where counter in ('type', 'day')
     group by counter having counted <> (select count(*) from messages)`,
  )
  expect(
    'a contact is wrong',
    `select id, messages from contacts
     except select contact, count(*) from messages group by contact`,
  )
  const [check] = database.prepare('pragma integrity_check').all()
  if (check?.['integrity_check'] !== 'ok') found.push('the database is damaged')
  return found
}
