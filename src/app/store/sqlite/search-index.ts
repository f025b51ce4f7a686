// The index behind substring search: trigrams of folded texts, in a file of its own beside the
// messages. It is derived from them and lags behind them; whoever is in doubt deletes it.
import type { DatabaseSync } from 'node:sqlite'
import type { SearchCondition } from '../sql/conditions.ts'

/** The sequence number up to which every message's text is in the index. */
export const WATERMARK_SQL = 'select watermark from search_state'

/** Which events give a message another text. */
export const CHANGES_TEXT = "kind in ('edit', 'revoke', 'history')"

/** Messages whose text was changed by an event behind the watermark, its one value. */
const CHANGED_SQL = `
  select changed.seq from events join messages as changed on changed.message_id = events.message_id
  where events.seq > ? and events.message_id is not null and ${CHANGES_TEXT}`

/**
 * Trigrams of a query that are looked up. Each look-up reads the whole list of a trigram: more of them
 * cost more than looking at the texts they would rule out, fewer leave thousands of texts to look at.
 */
const MAX_TRIGRAMS = 8

// detail=none keeps no positions: a third of the size, and the candidates are checked anyway.
const SCHEMA = `
  create virtual table search using fts5(
    folded, tokenize = 'trigram case_sensitive 1', detail = none);
  create table search_state (
    id integer primary key check (id = 1),
    identity text not null,
    watermark integer not null
  ) strict;`

/** Where the index of a database file lies: beside it. */
export function searchFileOf(messages: string): string {
  return messages.replace(/(\.\w+)?$/, '-search$1')
}

/** Creates the index for the store with this identity in a file that has none yet. */
export function createSearchIndex(database: DatabaseSync, identity: string): void {
  database.exec('begin immediate')
  const found = database.prepare("select 1 from sqlite_schema where name = 'search_state'").get()
  if (found === undefined) {
    database.exec(SCHEMA)
    database
      .prepare('insert into search_state (id, identity, watermark) values (1, ?, 0)')
      .run(identity)
  }
  database.exec('commit')
}

/** Makes the index readable on a connection to the messages. */
export function attachSearchIndex(database: DatabaseSync, file: string): void {
  database.prepare('attach database ? as search_index').run(file)
}

/**
 * An FTS5 query for texts that hold all trigrams of `folded`, which every text with that substring
 * does; null under three code points. At most eight, spread over the whole.
 */
export function trigramQuery(folded: string): string | null {
  const characters = [...folded]
  const count = characters.length - 2
  if (count < 1) return null
  const step = Math.max(1, count / MAX_TRIGRAMS)
  const trigrams = new Set<string>()
  for (let at = 0; at < count; at += step) {
    const start = Math.floor(at)
    trigrams.add(characters.slice(start, start + 3).join(''))
  }
  return [...trigrams].map((trigram) => `"${trigram.replaceAll('"', '""')}"`).join(' AND ')
}

/**
 * Finds texts by the index up to its watermark and by a scan after it: together, every message at
 * any moment. What was edited behind the watermark is looked at as it is now, not as it was
 * indexed. `readWatermark` reads in the snapshot the condition is for.
 */
export function searchCondition(readWatermark: () => number): SearchCondition {
  return (search) => {
    const watermark = readWatermark()
    const match = trigramQuery(search)
    const indexed = `select rowid from search where ${match === null ? '' : 'search match ? and '}
      instr(folded, ?) > 0 and rowid not in (${CHANGED_SQL})`
    return {
      clause: `seq in (
        ${indexed}
        union all select seq from messages where seq > ? and instr(fold(text), ?) > 0
        union all select seq from messages
          where seq in (${CHANGED_SQL}) and seq <= ? and instr(fold(text), ?) > 0)`,
      values: [
        ...(match === null ? [] : [match]),
        ...[search, watermark],
        ...[watermark, search],
        ...[watermark, watermark, search],
      ],
    }
  }
}
