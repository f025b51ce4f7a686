// Everything that matches a filter, page after page on a connection of its own, for an export.
import type { Message, Position } from '../../model/message.ts'
import { type Listed, partOf } from '../sql/long-texts.ts'
import { type Scan, scanQuery } from '../sql/queries.ts'
import { MESSAGE_TEXTS_SQL, type MessageRow, toMessage, toPosition } from '../sql/rows.ts'
import { withReason } from './connection-faults.ts'
import { createClient } from './connections.ts'
import { searchCondition } from './search.ts'
import { Snapshot } from './snapshot.ts'
import { requireWholeStore } from './whole-store.ts'

const PAGE = 500

/**
 * The messages that match at this moment, in the order (instant, message id); later ones are left
 * out. Each page is a query of its own, so that no old state has to be kept for minutes.
 */
export async function* scanMessages(url: string, scan: Scan): AsyncGenerator<Message[]> {
  const client = createClient(url)
  const read = <Result>(work: () => Promise<Result>) => withReason('exported', url, work)
  try {
    await read(() => client.connect())
    await read(() => requireWholeStore(client))
    const snapshot = new Snapshot(client)
    const last = await read(() => snapshot.number('select settled_seq_1()', []))
    let after: Position | undefined
    do {
      const { sql, values } = scanQuery(scan, { after, last, limit: PAGE }, searchCondition)
      const listed = await read(() => snapshot.all<Listed<MessageRow>>(sql, values))
      const part = partOf(listed, PAGE)
      const rows = await read(() => snapshot.whole(part.rows, [MESSAGE_TEXTS_SQL]))
      const newest = part.more ? rows.at(-1) : undefined
      after = newest === undefined ? undefined : toPosition(newest)
      yield rows.map(toMessage)
    } while (after !== undefined)
  } finally {
    await client.end().catch(() => {})
  }
}
