// The busiest senders, in a table as short as the list that statistics show. Counts only grow: who
// was not among them and has sent nothing since can't be among them now.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { TOP_SENDERS } from '../sql/statistics.ts'

export type SenderCount = { readonly sender: string; readonly messages: number }

/** The busiest of these, each named once: by count descending, then by sender. */
function busiestOf(senders: readonly SenderCount[]): SenderCount[] {
  return senders.toSorted(byMessages).slice(0, TOP_SENDERS)
}

/** The table, inside the writer's transaction. */
export class BusiestSenders {
  readonly #read: StatementSync
  readonly #clear: StatementSync
  readonly #insert: StatementSync

  constructor(database: DatabaseSync) {
    this.#read = database.prepare('select sender, messages from busiest_senders')
    this.#clear = database.prepare('delete from busiest_senders')
    this.#insert = database.prepare('insert into busiest_senders (sender, messages) values (?, ?)')
  }

  /** Takes in the new counts of senders whose count has grown. */
  grown(changed: readonly SenderCount[]): void {
    const known = busiestOf(this.#read.all() as SenderCount[])
    const least = known.length < TOP_SENDERS ? undefined : known.at(-1)
    const rising = changed.filter((sender) => least === undefined || byMessages(sender, least) <= 0)
    if (rising.length === 0) return
    const names = new Set(rising.map(({ sender }) => sender))
    const busiest = busiestOf([...rising, ...known.filter(({ sender }) => !names.has(sender))])
    this.#clear.run()
    for (const { sender, messages } of busiest) this.#insert.run(sender, messages)
  }
}

/** Texts by their bytes, as SQL compares them: UTF-16 units come in another order. */
function byMessages(a: SenderCount, b: SenderCount): number {
  return b.messages - a.messages || Buffer.compare(Buffer.from(a.sender), Buffer.from(b.sender))
}
