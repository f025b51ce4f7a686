// Looks into a database by a path of its own: are exactly the acknowledged messages there?
import { DatabaseSync } from 'node:sqlite'
import { messageId, type Range } from './messages.ts'

export type StoreCheck = {
  readonly stored: number
  /** Acknowledged, but not there. */
  readonly missing: number
  /** There, but not acknowledged, or there twice. */
  readonly unexpected: number
}

/** Compares the ids in the table `messages` with those of the ranges, which were all acknowledged. */
export function checkStored(file: string, run: string, ranges: readonly Range[]): StoreCheck {
  const database = new DatabaseSync(file, { readOnly: true })
  const expected = new Set<unknown>()
  for (const { first, count } of ranges) {
    for (let i = 0; i < count; i++) expected.add(messageId(run, first + i))
  }
  let stored = 0
  let unexpected = 0
  for (const row of database.prepare('select message_id from messages').iterate()) {
    stored++
    if (!expected.delete(row['message_id'])) unexpected++
  }
  database.close()
  return { stored, missing: expected.size, unexpected }
}
