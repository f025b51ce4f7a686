// The search index against the folded texts, in step with the rows as they are read.
import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { fold } from '../../model/fold.ts'
import { nameOf, type Report } from '../verify/verification.ts'
import { openReader, pragma } from './connection.ts'
import type { Guard } from './verify-findings.ts'
import type { StoredRow } from './verify-rows.ts'

type IndexRow = { readonly seq: number; readonly folded: string }
type State = { readonly identity: string; readonly watermark: number }

export type IndexCheckOptions = {
  readonly file: string
  readonly quick: boolean
  readonly report: Report
  readonly guard: Guard
}

/** The check of an index, to be told of every row of the messages in the order of the sequence. */
export interface IndexCheck {
  /** What can be said of the index, in a few words. */
  readonly state: string
  begin(store: { readonly identity: string; readonly lastSeq: number }): void
  row(row: StoredRow): void
  /** After the last row; without all of them, what is left in the index says nothing. */
  end(complete: boolean): void
  close(): void
}

/** Opens the index in the state it has now. */
export function openIndexCheck(options: IndexCheckOptions): IndexCheck {
  if (!existsSync(options.file)) return new NoIndex()
  return new SearchIndexCheck(options)
}

class NoIndex implements IndexCheck {
  readonly state = 'no search index yet'
  begin(): void {}
  row(): void {}
  end(): void {}
  close(): void {}
}

class SearchIndexCheck implements IndexCheck {
  readonly #quick: boolean
  readonly #report: Report
  readonly #guard: Guard
  readonly #found: State | null
  #database: DatabaseSync | null = null
  #rows: Iterator<IndexRow> | null = null
  #next: IndexRow | null = null
  state = 'search index unreadable'

  constructor({ file, quick, report, guard }: IndexCheckOptions) {
    this.#quick = quick
    this.#report = report
    this.#guard = guard
    this.#found = guard('search index', () => {
      this.#database = openReader(file)
      this.#database.exec('begin')
      return this.#database.prepare('select identity, watermark from search_state').get() as State
    })
  }

  begin({ identity, lastSeq }: { identity: string; lastSeq: number }): void {
    const database = this.#database
    const found = this.#found
    if (database === null || found === null) return
    if (found.identity !== identity || found.watermark > lastSeq) {
      this.state = 'search index of other messages, which the next start builds anew'
      return
    }
    this.state = `search index up to number ${found.watermark.toLocaleString('en-US')}`
    this.#guard('search index', () => {
      const check = this.#quick ? 'ok' : pragma(database, 'integrity_check(1)')
      if (check !== 'ok') this.#report(`search index: ${check}`)
      const statement = database.prepare('select rowid as seq, folded from search order by rowid')
      this.#rows = statement.iterate() as Iterator<IndexRow>
      this.#advance()
    })
  }

  row(row: StoredRow): void {
    if (this.#rows === null) return
    this.#reportStrays(row.seq)
    const entry = this.#next?.seq === row.seq ? this.#next : null
    if (entry !== null) this.#advance()
    // What came or was changed behind the watermark is looked at as it is now: the index may have it
    // already, and else learns of it later.
    const watermark = this.#found?.watermark ?? 0
    if (row.seq > watermark || (row.changed_at ?? 0) > watermark) return
    const expected = row.text === null ? null : fold(row.text)
    if ((entry?.folded ?? null) === expected) return
    const what =
      entry === null ? 'is not in the search index' : 'has another text in the search index'
    this.#report(`${nameOf(row)}: ${what}.`)
  }

  end(complete: boolean): void {
    if (complete) this.#reportStrays(Number.POSITIVE_INFINITY)
    this.#rows = null
  }

  close(): void {
    this.#database?.close()
  }

  /** Entries before `seq` that no message was there for. */
  #reportStrays(seq: number): void {
    while (this.#next !== null && this.#next.seq < seq) {
      this.#report(`search index: has an entry ${this.#next.seq} that belongs to no message.`)
      this.#advance()
    }
  }

  #advance(): void {
    const step = this.#guard('search index', () => this.#rows?.next())
    if (step === null) this.#rows = null
    this.#next = step === null || step === undefined || step.done === true ? null : step.value
  }
}
