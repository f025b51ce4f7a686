// Queries on one connection: prepared once, and several of them in one state of the database.
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import { type Listed, longOf, type Texts, withTexts } from '../sql/long-texts.ts'

type Value = string | number
type Prepared = { readonly statement: StatementSync; readonly names: readonly string[] }

/** Reads from a connection. Texts of queries are constants; every value is a parameter. */
export class Snapshot {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Everything inside sees one state of the database. */
  run<Result>(work: () => Result): Result {
    this.#database.exec('begin')
    try {
      return work()
    } finally {
      this.#database.exec('commit')
    }
  }

  all<Row>(sql: string, values: readonly Value[]): Row[] {
    let prepared = this.#prepared.get(sql)
    if (prepared === undefined) {
      prepared = prepare(this.#database, sql)
      this.#prepared.set(sql, prepared)
    }
    const { statement, names } = prepared
    const rows: unknown = statement.all(...values)
    return (rows as SQLOutputValue[][]).map((row) => rowOf(names, row) as Row)
  }

  /** Rows of a list with their long texts, which each of `queries` reads from one table. */
  whole<Row extends Listed<unknown>>(
    rows: readonly Row[],
    queries: readonly string[],
  ): readonly Row[] {
    const long = longOf(rows)
    if (long.length === 0) return rows
    const texts = queries.flatMap((sql) =>
      this.all<Texts>(`${sql} in (select value from json_each(?))`, [JSON.stringify(long)]),
    )
    return withTexts(rows, texts)
  }

  /** The number in the only column of the first row; 0 where there is none. */
  number(sql: string, values: readonly Value[]): number {
    const [row] = this.all<Record<string, number>>(sql, values)
    return row === undefined ? 0 : (Object.values(row)[0] ?? 0)
  }
}

function prepare(database: DatabaseSync, sql: string): Prepared {
  const statement = database.prepare(sql)
  statement.setReturnArrays(true)
  return { statement, names: statement.columns().map(({ name }) => name) }
}

// Objects that Node makes of rows are tables, in which every value is looked up by its name: they cost
// a fifth of the time that a list takes.
function rowOf(names: readonly string[], values: readonly SQLOutputValue[]) {
  const row: Record<string, SQLOutputValue | undefined> = {}
  let i = 0
  for (const name of names) row[name] = values[i++]
  return row
}
