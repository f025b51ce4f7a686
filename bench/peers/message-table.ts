// The table of (b) and (d) in a file with a write-ahead log and synchronous=FULL.
import { DatabaseSync } from 'node:sqlite'

/** A body of the flat format. */
export type Message = {
  readonly message_id: string
  readonly from: string
  readonly to: string
  readonly ts: string
  readonly text?: string | null
}

/** Opens the database of DATABASE_URL; `insert` stores a message unless its id is there. */
export function openTable(options: 'strict' | 'strict, without rowid') {
  const database = new DatabaseSync((process.env['DATABASE_URL'] ?? '').replace('sqlite:///', ''))
  database.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    create table if not exists messages (
      message_id text primary key,
      sender text not null,
      recipient text not null,
      ts text not null,
      text text
    ) ${options};
  `)
  const statement = database.prepare(
    `insert into messages (message_id, sender, recipient, ts, text) values (?, ?, ?, ?, ?)
     on conflict (message_id) do nothing`,
  )
  const insert = ({ message_id, from, to, ts, text }: Message) => {
    statement.run(message_id, from, to, ts, text ?? null)
  }
  return { database, insert }
}
