// Everything that matches a filter, page after page on a connection of its own: for an export,
// which may take minutes and must hold up neither the service nor its log.
import type { DatabaseSync } from 'node:sqlite'
import { fold } from '../../model/fold.ts'
import type { Message, Position } from '../../model/message.ts'
import { type Listed, partOf } from '../sql/long-texts.ts'
import { type Scan, scanQuery } from '../sql/queries.ts'
import { MESSAGE_TEXTS_SQL, type MessageRow, toMessage, toPosition } from '../sql/rows.ts'
import { openFirstReader } from './connection.ts'
import { Snapshot } from './snapshot.ts'
import { requireWholeStore } from './whole-store.ts'

const PAGE = 500

/** Texts are searched as they are read. */
const NO_SEARCH = () => ({ clause: 'true', values: [] })

/**
 * The messages that match at this moment, in the order (instant, message id); later ones are left
 * out. Each page is a transaction of its own, so that the log can be emptied in between. Texts are
 * searched here and not through the index: every one is read anyway, and no index can lag behind.
 */
export function* scanMessages(file: string, { filter, order }: Scan): Generator<Message[]> {
  const database = openFirstReader(file)
  try {
    requireWholeStore(database)
    const { search, ...columns } = filter
    const matches = ({ text }: MessageRow) =>
      search === undefined || (text !== null && fold(text).includes(search))
    const pageAfter = pages(database, { filter: columns, order })
    let after: Position | undefined
    do {
      const { rows, more } = pageAfter(after)
      const last = more ? rows.at(-1) : undefined
      after = last === undefined ? undefined : toPosition(last)
      yield rows.filter(matches).map(toMessage)
    } while (after !== undefined)
  } finally {
    database.close()
  }
}

function pages(database: DatabaseSync, scan: Scan) {
  const snapshot = new Snapshot(database)
  const last = snapshot.number('select last_seq from totals', [])
  return (after: Position | undefined) => {
    const { sql, values } = scanQuery(scan, { after, last, limit: PAGE }, NO_SEARCH)
    const listed = snapshot.all<Listed<MessageRow>>(sql, values)
    const { rows, more } = partOf(listed, PAGE)
    return { rows: snapshot.whole(rows, [MESSAGE_TEXTS_SQL]), more }
  }
}
