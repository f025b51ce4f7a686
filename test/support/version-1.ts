// A SQLite file as version 1 of the schema left it.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type flatBody, toBytes } from './signed.ts'

const FIRST = new URL('../../src/app/store/sqlite/migrations/0001-messages.sql', import.meta.url)

/** Writes a file in which messages are that came in these bodies. */
export function writeVersion1(file: string, bodies: readonly ReturnType<typeof flatBody>[]): void {
  const database = new DatabaseSync(file)
  database.exec(readFileSync(FIRST, 'utf8'))
  const insert = database.prepare('insert into messages values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const count = database.prepare(
    'insert into senders values (?, 1) on conflict do update set messages = messages + 1',
  )
  for (const [i, { message_id, from, to, ts, text }] of bodies.entries()) {
    const body = toBytes(bodies[i] ?? {})
    const sha256 = createHash('sha256').update(body).digest()
    const instant = ts.slice(0, -1)
    insert.run(i + 1, message_id, from, to, ts, instant, text ?? null, 1000 + i, sha256, body)
    count.run(from)
  }
  database.exec(`update totals set last_seq = ${bodies.length}, messages = ${bodies.length},
    senders = (select count(*) from senders); pragma user_version = 1`)
  database.close()
}
