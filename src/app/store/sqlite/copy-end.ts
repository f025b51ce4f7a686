// A SQLite file that a store is copied from or to.
import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { CopySource, CopyTarget } from '../copy/copy-store.ts'
import { TOP_SENDERS } from '../sql/statistics.ts'
import {
  type Cell,
  CHUNK_BYTES,
  type Key,
  type Row,
  sizeOf,
  type Table,
  type TableName,
} from '../sql/tables.ts'
import {
  createPrivateFile,
  makePrivate,
  openFirstReader,
  openWriter,
  pragma,
} from './connection.ts'
import { fileFault } from './faults.ts'
import { packBody, type StoredBody, unpackBody } from './intakes.ts'
import { migrate } from './schema.ts'
import { requireWholeStore } from './whole-store.ts'

/** Pages of 4 KiB. */
const CHECKPOINT_PAGES = 1000

/** Columns that `finish` gives their values. */
const DERIVED: Partial<Record<TableName, readonly string[]>> = { contacts: ['messages'] }

/** Opens a file that is there. Throws where it is no whole store of this version. */
export function sqliteSource(file: string): CopySource {
  if (!existsSync(file)) throw new Error(`There is no database at ${file}.`)
  return withReason('copied', file, () => {
    const database = openFirstReader(file)
    requireWholeStore(database)
    return new SqliteEnd(database)
  })
}

/** Opens a file, which is created where it is missing. */
export function sqliteTarget(file: string): CopyTarget {
  return withReason('copied to', file, () => {
    createPrivateFile(file)
    makePrivate(file)
    const database = openWriter(file)
    // Nobody waits for a commit here, and without it the log would become as long as the database.
    pragma(database, `wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    migrate(database)
    return new SqliteEnd(database)
  })
}

/** Opens a file. What it throws says what can't be done with the file, and why. */
function withReason(what: string, file: string, open: () => SqliteEnd): SqliteEnd {
  try {
    return open()
  } catch (error) {
    throw new Error(`The database ${file} can't be ${what}: ${fileFault(error)}`, { cause: error })
  }
}

class SqliteEnd implements CopyTarget {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async identity(): Promise<string> {
    return String(this.#value('select identity from store'))
  }

  async setIdentity(identity: string): Promise<void> {
    this.#database.prepare('update store set identity = ?').run(identity)
  }

  async count(table: TableName): Promise<number> {
    return Number(this.#value(`select count(*) from ${table}`))
  }

  async lastSeq(): Promise<number> {
    return Number(this.#value('select last_seq from totals'))
  }

  async lastKey({ name, columns: [key] }: Table): Promise<Key | null> {
    return this.#value(`select max(${key}) from ${name}`) as Key | null
  }

  async rowsAfter({ name, columns, chunk }: Table, key: Key | null): Promise<readonly Row[]> {
    const [first] = columns
    const more = name === 'intakes' ? ', encoding' : ''
    const statement = this.#database.prepare(
      `select ${columns.join(', ')}${more} from ${name}
       ${key === null ? '' : `where ${first} > ?`} order by ${first} limit ${chunk}`,
    )
    const found = key === null ? statement.iterate() : statement.iterate(key)
    const rows: Row[] = []
    let held = 0
    for (const each of found) {
      const row = columns.map((column) => unpacked(each as Record<string, Cell>, column))
      rows.push(row)
      held += sizeOf(row)
      if (held >= CHUNK_BYTES) break
    }
    return rows
  }

  async write({ name, columns }: Table, rows: readonly Row[]): Promise<void> {
    const isBodies = name === 'intakes'
    const more = [...(isBodies ? ['encoding'] : []), ...(DERIVED[name] ?? [])]
    const places = [...columns, ...more].map(() => '?').join(', ')
    const insert = this.#database.prepare(
      `insert into ${name} (${[...columns, ...more].join(', ')}) values (${places})`,
    )
    this.#database.exec('begin immediate')
    for (const row of rows) {
      if (isBodies) {
        const { encoding, body } = packBody(row.at(-1) as Uint8Array)
        insert.run(...row.slice(0, -1), body, encoding)
      } else insert.run(...row, ...more.map(() => 0))
    }
    this.#database.exec('commit')
  }

  async finish(lastSeq: number): Promise<void> {
    this.#database.exec(`
      begin immediate;
      delete from counts;
      insert into counts
        select 'type', type, count(*) from messages group by 2 union all
        select 'day', substr(instant, 1, 10), count(*) from messages group by 2 union all
        select 'kind', 'message', count(*) from messages having count(*) > 0 union all
        select 'kind', kind, count(*) from events group by 2 union all
        select 'status', status, count(*) from message_states group by 2;
      delete from senders;
      insert into senders select sender, count(*) from messages group by 1;
      delete from busiest_senders;
      insert into busiest_senders
        select sender, messages from senders order by messages desc, sender limit ${TOP_SENDERS};
      update contacts set messages = counted.messages, last_instant = counted.newest
        from (select contact, count(*) as messages, max(instant) as newest from messages group by 1)
          as counted
        where counted.contact = contacts.id;
      update totals set
        last_seq = ${lastSeq},
        last_intake = max((select coalesce(max(id), 0) from intakes),
          (select coalesce(max(intake), 0) from messages),
          (select coalesce(max(intake), 0) from events)),
        messages = (select count(*) from messages),
        senders = (select count(*) from senders);
      delete from gaps;
      insert into gaps
        select previous + 1, seq - 1 from (
          select seq, lag(seq, 1, 0) over (order by seq) as previous from (
            select seq from messages union all select seq from events
            union all select ${lastSeq} + 1))
        where seq > previous + 1;
      commit;`)
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #value(sql: string): Cell {
    return Object.values(this.#database.prepare(sql).get() ?? {})[0] as Cell
  }
}

function unpacked(row: Record<string, Cell>, column: string): Cell {
  const value = row[column] ?? null
  if (column !== 'body') return value
  return unpackBody({
    encoding: row['encoding'] as StoredBody['encoding'],
    body: value as Uint8Array,
  })
}
