// What a search costs without an index: LIKE over every text, on a connection of its own.
import { DatabaseSync } from 'node:sqlite'

export type LikeScan = { readonly text: string; readonly hits: number; readonly ms: number }

/** The first page of what holds `text`, in the service's own table; no HTTP around it. */
export function likeScan(file: string, text: string): LikeScan {
  const database = new DatabaseSync(file, { readOnly: true })
  const statement = database.prepare(`
    select message_id, sender, recipient, ts, text from messages
    where text like ? order by instant, message_id limit 50`)
  const start = performance.now()
  const hits = statement.all(`%${text}%`).length
  const ms = performance.now() - start
  database.close()
  return { text, hits, ms }
}
